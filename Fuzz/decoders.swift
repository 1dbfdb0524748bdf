// SPDX-License-Identifier: Apache-2.0
import StowageCompression

/// Decodes the input as whatever its first bytes say, up to 1 MiB of output.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let source = PeekedSource(BytesSource(UnsafeBufferPointer(start: start, count: count), chunkSize: 1 + count % 97))
  guard let format = try? detectCompression(of: source) else { return 0 }
  _ = try? decoder(for: format, over: source).readToEnd(limit: 1 << 20)
  return 0
}
