// SPDX-License-Identifier: Apache-2.0
private import CZstd
private import Glibc
internal import SystemPackage

/// Writes zstd frames with a content checksum, level 3; one, unless ``endFrame()`` is called.
package final class ZstdSink: ByteSink {
  private let downstream: any ByteSink
  private let context: OpaquePointer
  private var isFrameOpen = false
  private let output = RawBuffer(count: max(ZSTD_CStreamOutSize(), 64 << 10))

  /// Compresses what is written to this sink into `downstream`.
  ///
  /// - Parameter isParallel: on all processors, in pieces of 2 MiB; the bytes do not depend on how many there are.
  package init(_ downstream: any ByteSink, level: CInt = 3, isParallel: Bool = false) throws(ArchiveError) {
    guard let context = ZSTD_createCCtx() else { throw ArchiveError.system("zstd", .noMemory) }
    self.downstream = downstream
    self.context = context
    _ = ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
    _ = ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    if isParallel {
      // A library without threads refuses the first, and compresses on this one.
      _ = ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, CInt(clamping: min(8, sysconf(CInt(_SC_NPROCESSORS_ONLN)))))
      _ = ZSTD_CCtx_setParameter(context, ZSTD_c_jobSize, 2 << 20)
    }
  }

  deinit { _ = ZSTD_freeCCtx(context) }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
    if bytes.isEmpty { return }
    isFrameOpen = true
    try compress(bytes, ZSTD_e_continue)
  }

  /// Ends the frame; the next byte begins another one. A frame without a byte is none.
  package func endFrame() throws(ArchiveError) {
    if isFrameOpen { try compress(UnsafeRawBufferPointer(start: nil, count: 0), ZSTD_e_end) }
    isFrameOpen = false
  }

  package func finish() throws(ArchiveError) {
    try compress(UnsafeRawBufferPointer(start: nil, count: 0), ZSTD_e_end)
    try downstream.finish()
  }

  private func compress(_ bytes: UnsafeRawBufferPointer, _ mode: ZSTD_EndDirective) throws(ArchiveError) {
    var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
    while true {
      var space = ZSTD_outBuffer(dst: output.bytes.baseAddress, size: output.bytes.count, pos: 0)
      let rest = ZSTD_compressStream2(context, &space, &input, mode)
      if ZSTD_isError(rest) != 0 {
        throw ArchiveError(.invalidCompressedData, "zstd: \(String(cString: ZSTD_getErrorName(rest)))")
      }
      if space.pos > 0 { try downstream.write(UnsafeRawBufferPointer(rebasing: output.bytes[..<space.pos])) }
      if mode == ZSTD_e_end ? rest == 0 : input.pos == input.size { return }
    }
  }
}
