import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'

/** Longer answers are cut; the largest token sets seen are some 20 kB. */
const longestBodyBytes = 256 * 1024

/**
 * The text of a body. Compressed ones are opened although none was asked for: some servers compress every answer
 * (Stack Exchange says so of its API), and this one may hold the only copy of a refresh token. What ends early is read
 * as far as it goes.
 *
 * @param encoding the Content-Encoding header
 */
export function bodyText(bytes: Uint8Array, encoding: string | undefined): string {
  return new TextDecoder().decode(decompressed(bytes, encoding?.trim().toLowerCase()))
}

function decompressed(bytes: Uint8Array, encoding: string | undefined): Uint8Array {
  // Z_SYNC_FLUSH takes an end that is missing for the end
  const options = { maxOutputLength: longestBodyBytes, finishFlush: constants.Z_SYNC_FLUSH }
  try {
    switch (encoding) {
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(bytes, options)
      case 'deflate':
        return isZlib(bytes) ? inflateSync(bytes, options) : inflateRawSync(bytes, options)
      case 'br':
        return brotliDecompressSync(bytes, {
          maxOutputLength: longestBodyBytes,
          finishFlush: constants.BROTLI_OPERATION_FLUSH,
        })
      default:
        return bytes
    }
  } catch {
    // not what the header says, or a bomb
    return bytes
  }
}

/** RFC 1950 section 2.2; many servers send the bare stream of RFC 1951. */
const isZlib = ([first = 0, second = 0]: Uint8Array) => (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0
