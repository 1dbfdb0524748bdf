// SPDX-License-Identifier: Apache-2.0
private import StowageCompression

/// Decodes the input as whatever its first bytes say, up to 64 KiB of output.
///
/// Pieces in and out are small and of odd sizes, so that little data crosses their borders often.
func fuzzDecoders(_ input: [UInt8]) {
  let source = PeekedSource(BytesSource(input, chunkSize: 1 + input.count % 97), capacity: 512)
  guard let format = try? detectCompression(of: source) else { return }
  let decoded = decoder(for: format, over: source)
  let piece = RawBuffer(count: 1 + input.count % 1021)
  var total = 0
  while total < 64 << 10, let count = try? decoded.read(into: piece.bytes), count > 0 {
    precondition(count <= piece.bytes.count, "more than there is room for")
    total += count
  }
}
