// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc
package import SystemPackage

/// Where data or a hole of a sparse file is looked for.
package enum SeekTarget: Sendable { case data, hole }

extension Syscall {
  /// Reads up to the buffer's size; 0 at the end. See `read(2)`.
  package static func read(_ descriptor: CInt, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
    try checked { Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
  }

  /// Reads up to the buffer's size at an offset; 0 at the end. See `pread(2)`.
  package static func pread(
    _ descriptor: CInt, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
  ) throws(Errno) -> Int {
    try checked { Glibc.pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
  }

  /// Reads until the end of the file.
  ///
  /// - Parameter limit: bytes after which `EFBIG` is thrown.
  package static func readAll(_ descriptor: CInt, limit: Int = .max) throws(Errno) -> [UInt8] {
    let size = (try? fstat(descriptor).size) ?? 0
    var bytes: [UInt8] = []
    var chunk = Int(clamping: max(4096, min(size, 1 << 30) + 1))
    while true {
      let before = bytes.count
      let count = chunk
      var failure: Errno?
      let more = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        do throws(Errno) {
          filled = try read(descriptor, into: UnsafeMutableRawBufferPointer(buffer))
        } catch {
          failure = error
          filled = 0
        }
      }
      if let failure { throw failure }
      if more.isEmpty { return bytes }
      if before == 0 { bytes = more } else { bytes.append(contentsOf: more) }
      if bytes.count > limit { throw .fileTooLarge }
      chunk = max(4096, min(chunk, 1 << 20))
    }
  }

  /// The whole content of a host file.
  package static func readFile(_ path: FilePath, limit: Int = .max) throws(Errno) -> [UInt8] {
    let descriptor = try open(path, .readOnly)
    return try readAll(descriptor.rawValue, limit: limit)
  }

  /// Writes all bytes, continuing after short writes. See `write(2)`. Not a hooked step: payload is written here.
  package static func write(_ descriptor: CInt, all buffer: UnsafeRawBufferPointer) throws(Errno) {
    var done = 0
    while done < buffer.count, let base = buffer.baseAddress {
      done += try checked { Glibc.write(descriptor, base + done, buffer.count - done) }
    }
    SystemTrace.done("write", descriptor)
  }
  /// Writes a text to a file of `/proc` or `/sys`, in one call as these demand. See `proc(5)`.
  package static func writeSetting(_ path: FilePath, _ text: String) throws(Errno) {
    let descriptor = try open(path, .writeOnly)
    let bytes = Array(text.utf8)
    let count = try checked { Glibc.write(descriptor.rawValue, bytes, bytes.count) }
    if count != bytes.count { throw .ioError }
  }

  /// Writes all bytes at an offset. See `pwrite(2)`. Not a hooked step.
  package static func pwrite(
    _ descriptor: CInt, all buffer: UnsafeRawBufferPointer, at offset: Int64
  ) throws(Errno) {
    var done = 0
    while done < buffer.count, let base = buffer.baseAddress {
      done += try checked { Glibc.pwrite(descriptor, base + done, buffer.count - done, off_t(offset) + off_t(done)) }
    }
    SystemTrace.done("write", descriptor)
  }

  /// Flushes data and metadata to the device. See `fsync(2)`.
  package static func fsync(_ descriptor: CInt, _ stepClass: StepClass = .store) throws(Errno) {
    try SystemHook.step("fsync", "\(descriptor)", stepClass)
    try checked { Glibc.fsync(descriptor) }
    SystemTrace.done("fsync", descriptor)
  }

  /// Flushes data and the metadata needed to read it back. See `fdatasync(2)`.
  package static func fdatasync(_ descriptor: CInt, _ stepClass: StepClass = .store) throws(Errno) {
    try SystemHook.step("fdatasync", "\(descriptor)", stepClass)
    try checked { Glibc.fdatasync(descriptor) }
    SystemTrace.done("fdatasync", descriptor)
  }

  /// Begins to write an open file to the device and does not wait; without that the next flush does it. See
  /// `sync_file_range(2)`.
  package static func startWriting(_ descriptor: CInt) {
    stowage_start_writing(descriptor)
  }

  /// Flushes the file system that holds the open file. See `syncfs(2)`.
  package static func syncfs(_ descriptor: CInt) throws(Errno) {
    try SystemHook.step("syncfs", "\(descriptor)")
    try checked { stowage_syncfs(descriptor) }
    SystemTrace.done("syncfs", descriptor)
  }

  /// Sets the size of an open file. See `ftruncate(2)`.
  package static func ftruncate(_ descriptor: CInt, size: Int64, _ stepClass: StepClass = .layer) throws(Errno) {
    try SystemHook.step("ftruncate", "\(descriptor)", stepClass)
    try checked { Glibc.ftruncate(descriptor, off_t(size)) }
    SystemTrace.done("write", descriptor)
  }

  /// Gives a file space, so that it is `size` bytes long at least. See `posix_fallocate(3)`.
  package static func allocate(_ descriptor: CInt, size: Int64) throws(Errno) {
    try SystemHook.step("fallocate", "\(descriptor)")
    while true {
      let error = Errno(rawValue: posix_fallocate(descriptor, 0, off_t(size)))
      if error.rawValue == 0 { return }
      if error != .interrupted { throw error }
    }
  }

  /// Moves the file offset to an absolute position. See `lseek(2)`.
  @discardableResult
  package static func seek(_ descriptor: CInt, to offset: Int64) throws(Errno) -> Int64 {
    Int64(try checked { Glibc.lseek(descriptor, off_t(offset), SEEK_SET) })
  }

  /// The next data or hole at or after `offset`; nil if there is no more data. See `lseek(2)`, `SEEK_DATA`.
  ///
  /// - Throws: `EINVAL` if the file system does not know holes.
  package static func seek(_ descriptor: CInt, next target: SeekTarget, from offset: Int64) throws(Errno) -> Int64? {
    let whence = target == .data ? STOWAGE_SEEK_DATA : STOWAGE_SEEK_HOLE
    do throws(Errno) {
      return Int64(try checked { Glibc.lseek(descriptor, off_t(offset), CInt(whence)) })
    } catch {
      if error == .noSuchAddressOrDevice { return nil }
      throw error
    }
  }

  /// Copies bytes between two files inside the kernel at given offsets. See `copy_file_range(2)`.
  package static func copyFileRange(
    from source: CInt, at sourceOffset: Int64, to destination: CInt, at destinationOffset: Int64, count: Int
  ) throws(Errno) -> Int {
    var input = sourceOffset
    var output = destinationOffset
    let copied = try checked { stowage_copy_file_range(source, &input, destination, &output, count, 0) }
    SystemTrace.done("write", destination)
    return copied
  }

  /// Makes the destination share all blocks of the source. See `ioctl_ficlone(2)`.
  package static func ficlone(from source: CInt, to destination: CInt) throws(Errno) {
    try checked { stowage_ficlone(destination, source) }
    SystemTrace.done("write", destination)
  }

  /// How many bytes of a file are in blocks that other files have, too: reflinks, snapshots. See `fiemap` in the kernel's documentation.
  ///
  /// - Throws: `EOPNOTSUPP` where a file system does not tell.
  package static func sharedBytes(of descriptor: CInt) throws(Errno) -> UInt64 {
    var bytes: UInt64 = 0
    _ = try checked { stowage_shared_bytes(descriptor, &bytes) }
    return bytes
  }

  /// Makes two files share the blocks of a range if they have the same bytes there. See `ioctl_fideduperange(2)`.
  ///
  /// - Returns: the number of bytes shared from `offset` on, at most `count`; `nil` if the bytes differ.
  /// - Throws: `EOPNOTSUPP`, `EINVAL`, `EXDEV` where blocks cannot be shared.
  package static func shareRange(
    of source: CInt, with destination: CInt, at offset: UInt64, count: UInt64
  ) throws(Errno) -> UInt64? {
    var shared: UInt64 = 0
    let isSame = try checked { stowage_dedupe_range(source, destination, offset, count, &shared) }
    return isSame == 1 ? shared : nil
  }
}
