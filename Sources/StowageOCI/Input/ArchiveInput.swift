// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageCompression
import StowageModel
import StowageSystem
import SystemPackage

/// An opened source of images: a directory, or an uncompressed file with random access.
enum ArchiveInput {
  /// A directory.
  case directory(DirectoryContainer)
  /// A file; of a compressed archive or a pipe, the uncompressed copy.
  case file(InputFile)

  /// Opens a source.
  ///
  /// A regular uncompressed file is used in place. Anything else is copied, uncompressed, into a file without name in
  /// `$TMPDIR` or `/var/tmp`, which disappears with the last reference to it, also after a crash.
  ///
  /// - Parameter limit: how large the uncompressed copy may be; `nil` for any size.
  /// - Throws: `system` if it cannot be opened, read or copied, naming the directory if that has no space left;
  ///   `invalidArchive` if its compressed data is broken.
  static func open(_ source: ImageSource, _ limit: SizeLimit? = nil) throws(StorageError) -> ArchiveInput {
    let descriptor: SharedDescriptor
    let status: FileStatus
    do throws(Errno) {
      descriptor = try openDescriptor(source)
      status = try Syscall.fstat(descriptor.rawValue)
      if status.isDirectory { return .directory(try DirectoryContainer(descriptor)) }
    } catch {
      throw StorageError(.system, error.referenceText, path: source.description, cause: error)
    }
    do throws(ArchiveError) {
      guard status.kind == .regular else {
        return .file(
          try withExtendedLifetime(descriptor) { () throws(ArchiveError) in
            try spool(PeekedSource(DescriptorSource(descriptor.rawValue)), limit)
          })
      }
      let file = InputFile(descriptor, start: max(0, Int64(lseek(descriptor.rawValue, 0, SEEK_CUR))), end: status.size)
      let content = PeekedSource(FileRangeSource(file, from: file.start, to: file.end))
      if try detectCompression(of: content) == .none { return .file(file) }
      return .file(try spool(content, limit))
    } catch {
      let code: StorageError.Code = error.kind == .system ? .system : .invalidArchive
      throw StorageError(code, "\(error)", path: source.description, cause: error)
    }
  }

  private static func openDescriptor(_ source: ImageSource) throws(Errno) -> SharedDescriptor {
    switch source.place {
    case .path(let path): return SharedDescriptor(try Syscall.open(FilePath(path), .readOnly))
    case .standardInput:
      let input = OwnedDescriptor(owning: STDIN_FILENO)
      let result = Result { () throws(Errno) in SharedDescriptor(try input.duplicate()) }
      _ = input.release()
      return try result.get()
    }
  }

  /// Copies a stream into a temporary file, uncompressed.
  private static func spool(_ source: PeekedSource, _ limit: SizeLimit?) throws(ArchiveError) -> InputFile {
    let directory = temporaryDirectory
    let file: SharedDescriptor
    do throws(Errno) {
      file = SharedDescriptor(try openTemporaryFile(in: directory))
    } catch {
      throw ArchiveError.system("creating a temporary file in \(directory) (TMPDIR names another directory)", error)
    }
    let format = try detectCompression(of: source)
    let sink = DescriptorSink(file.rawValue)
    // Unpacking and writing overlap: the source runs on a thread of its own.
    let content = format == .none ? source : PipelineSource(decoder(for: format, over: source)) as any ByteSource
    do throws(ArchiveError) {
      let size = try sink.write(contentsOf: limited(content, limit))
      try sink.finish()
      return InputFile(file, start: 0, end: size)
    } catch {
      guard let reason = error.cause as? Errno, reason.isOutOfSpace else { throw error }
      let what = format == .none ? "copying the archive" : "unpacking the archive"
      throw ArchiveError.system(
        "\(what) into a temporary file in \(directory), which takes more than \(size(of: file)) bytes "
          + "(TMPDIR names another directory)", reason)
    }
  }

  /// A source that fails once it has delivered more than is allowed in an archive.
  private static func limited(_ source: any ByteSource, _ limit: SizeLimit?) -> any ByteSource {
    guard let limit else { return source }
    let own = SizeLimit(bytes: limit.bytes)
    return TeeSource(source) { (bytes) throws(ArchiveError) in
      do throws(StorageError) { try own.take(Int64(bytes.count)) } catch {
        throw ArchiveError(.caller, error.message, cause: error)
      }
    }
  }

  /// The bytes in a file; 0 if that cannot be found out.
  private static func size(of file: SharedDescriptor) -> Int64 { (try? Syscall.fstat(file.rawValue))?.size ?? 0 }

  /// `$TMPDIR`, or `/var/tmp`.
  static var temporaryDirectory: FilePath {
    FilePath(getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } ?? "/var/tmp")
  }

  /// Opens a file without name. File systems that cannot have one get a named file that is unlinked at once.
  static func openTemporaryFile(in directory: FilePath) throws(Errno) -> OwnedDescriptor {
    do throws(Errno) {
      return try Syscall.open(directory, [.readWrite, .temporary], mode: 0o600)
    } catch {
      guard error == .notSupported || error == .isDirectory || error == .invalidArgument else { throw error }
    }
    let path = directory.appending("stowage-load-\(ImageID.random())")
    let file = try Syscall.open(path, [.readWrite, .create, .exclusive], mode: 0o600)
    try Syscall.unlink(path)
    return file
  }
}
