// SPDX-License-Identifier: Apache-2.0

internal import StowageSystem
internal import SystemPackage

/// Copies the bytes of files in the cheapest way the file systems allow, remembering what they do not.
final class FileDataCopier {
  private var canClone = true
  private var canCopyInKernel = true
  private var knowsHoles = true
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)

  deinit { buffer.deallocate() }

  /// Copies a file into an empty one: shared blocks, else data ranges copied by the kernel, else read and written.
  ///
  /// A source that shrinks meanwhile ends the copy early, one that grows is copied up to `size`.
  func copy(_ source: CInt, to destination: CInt, size: Int64) throws(Errno) {
    if size <= 0 { return }
    if canClone {
      do throws(Errno) { return try Syscall.ficlone(from: source, to: destination) } catch {
        // Whatever the reason, another file of the same tree would meet it, too.
        canClone = false
      }
    }
    var offset: Int64 = 0
    while offset < size {
      guard let start = try data(source, from: offset, size), start < size else { break }
      let end = min(size, try hole(source, from: start, size))
      if try !copyRange(source, destination, start, end) { return }
      offset = max(end, start + 1)
    }
    // The last hole, if there is one.
    if try Syscall.fstat(destination).size < size { try Syscall.ftruncate(destination, size: size) }
  }

  private func data(_ source: CInt, from offset: Int64, _ size: Int64) throws(Errno) -> Int64? {
    guard knowsHoles else { return offset }
    do throws(Errno) { return try Syscall.seek(source, next: .data, from: offset) } catch {
      knowsHoles = false
      return offset
    }
  }

  private func hole(_ source: CInt, from offset: Int64, _ size: Int64) throws(Errno) -> Int64 {
    guard knowsHoles else { return size }
    return try Syscall.seek(source, next: .hole, from: offset) ?? size
  }

  /// Copies one range of data; false if the source has ended before.
  private func copyRange(_ source: CInt, _ destination: CInt, _ start: Int64, _ end: Int64) throws(Errno) -> Bool {
    var offset = start
    while offset < end {
      let count = try copySome(source, destination, offset, Int(clamping: min(end - offset, 1 << 30)))
      if count == 0 { return false }
      offset += Int64(count)
    }
    return true
  }

  private func copySome(_ source: CInt, _ destination: CInt, _ offset: Int64, _ count: Int) throws(Errno) -> Int {
    if canCopyInKernel {
      do throws(Errno) {
        return try Syscall.copyFileRange(
          from: source, at: offset, to: destination, at: offset, count: count)
      } catch {
        switch error {
        // Across file systems, on old kernels, in sandboxes, on odd file systems.
        case .improperLink, .noFunction, .notPermitted, .notSupported, .invalidArgument: canCopyInKernel = false
        default: throw error
        }
      }
    }
    let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(count, buffer.count)])
    let got = try Syscall.pread(source, into: piece, at: offset)
    try Syscall.pwrite(destination, all: UnsafeRawBufferPointer(rebasing: piece[..<got]), at: offset)
    return got
  }
}
