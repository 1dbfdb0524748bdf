// SPDX-License-Identifier: Apache-2.0

/// Reads the input as a configuration file.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  _ = try? readTOML(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}
