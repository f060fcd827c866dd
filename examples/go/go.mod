module perennial.example/reader

go 1.18

require (
	github.com/go-jose/go-jose/v3 v3.0.5
	github.com/redis/go-redis/v9 v9.7.3
)

require (
	github.com/cespare/xxhash/v2 v2.2.0 // indirect
	github.com/dgryski/go-rendezvous v0.0.0-20200823014737-9f7001d12a5f // indirect
	golang.org/x/crypto v0.19.0 // indirect
)
