// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageFiles
import StowageModel
import StowageSystem
import SystemPackage

/// A file that is there under its name when it is complete, and not before.
///
/// Until then it has no name, where the file system can do that, so that a kill leaves nothing; else one beside its own, which
/// goes with this object.
final class OutputFile {
  /// Where the content goes.
  let descriptor: SharedDescriptor
  /// Whether this is a file of ours, which can be written at any place; else it is a device or FIFO.
  let isOwn: Bool
  private let path: FilePath
  /// The file that is replaced.
  private let existing: FileStatus?
  private let mayReplace: Bool
  private var temporary: FilePath?

  /// - Parameter mayReplace: whether a file with content may be replaced.
  /// - Throws: `usage` for a file that may not be replaced, and for a directory; `system`.
  init(_ name: String, mayReplace: Bool, _ cancellation: CancellationFlag) throws(StorageError) {
    self.mayReplace = mayReplace
    // What a link leads to need not have a path, as the pipe behind /dev/stdout has none.
    let seen = try HostFiles.status(FilePath(name))
    let isFile = seen == nil || seen?.kind == .regular || seen?.kind == .directory
    path = isFile ? try OutputFile.resolved(FilePath(name)) : FilePath(name)
    existing = isFile ? try HostFiles.status(path) : seen
    switch existing?.kind {
    case nil: break
    case .regular:
      guard mayReplace || existing?.size == 0 else {
        throw StorageError(
          .usage,
          "docker-archive doesn't support modifying existing images: \(name) is there, so remove it, or name another file",
          path: name)
      }
    case .directory: throw StorageError(.usage, "\(name) is a directory, where a file is to be written", path: name)
    default:
      descriptor = try OutputFile.open(path, cancellation)
      isOwn = false
      return
    }
    isOwn = true
    // What takes the place of a private file is not public meanwhile.
    let mode: UInt32 = existing == nil ? 0o666 : 0o600
    do throws(Errno) {
      do throws(Errno) {
        descriptor = SharedDescriptor(try Syscall.open(path.directory, [.readWrite, .temporary], mode: mode))
      } catch {
        guard error == .notSupported || error == .isDirectory || error == .invalidArgument else { throw error }
        let name = path.beside
        descriptor = SharedDescriptor(try Syscall.open(name, [.readWrite, .create, .exclusive], mode: mode))
        temporary = name
      }
    } catch {
      throw .failed("open", path, error)
    }
  }

  /// Opens what is no regular file; waits for the reader of a FIFO.
  private static func open(_ path: FilePath, _ cancellation: CancellationFlag) throws(StorageError) -> SharedDescriptor
  {
    while true {
      do throws(Errno) { return SharedDescriptor(try Syscall.open(path, [.writeOnly, .nonBlocking])) } catch {
        guard error == .noSuchAddressOrDevice else { throw .failed("open", path, error) }
      }
      try cancellation.check()
      usleep(50_000)
    }
  }

  // What cannot be removed has a name that says what it is.
  deinit { if let temporary { try? Syscall.unlink(temporary) } }

  /// Gives the file its name.
  func commit() throws(StorageError) {
    guard isOwn else { return }
    do throws(Errno) {
      if let existing {
        // Who may not give files away has it.
        try? Syscall.fchown(descriptor.rawValue, uid: existing.uid, gid: existing.gid)
        try Syscall.fchmod(descriptor.rawValue, mode: existing.permissions & 0o777)
      }
      if temporary == nil {
        if existing == nil {
          do throws(Errno) { return try give(path) } catch {
            // Somebody was faster: that is not ours to replace.
            guard error == .fileExists, mayReplace else { throw error }
          }
        }
        let beside = path.beside
        try give(beside)
        temporary = beside
      }
      if let temporary { try Syscall.rename(temporary, path) }
      temporary = nil
    } catch {
      throw .failed("link", path, error)
    }
  }

  /// Gives the unnamed file a name.
  private func give(_ path: FilePath) throws(Errno) {
    let own = FilePath("/proc/self/fd/\(descriptor.rawValue)")
    try path.withCString { (path) throws(Errno) in
      try own.withCString { (own) throws(Errno) in
        try Syscall.linkat(Syscall.workingDirectory, own, Syscall.workingDirectory, path, flags: .follow)
      }
    }
  }

  /// Follows symbolic links, so that what they lead to is replaced.
  private static func resolved(_ path: FilePath) throws(StorageError) -> FilePath {
    var path = path
    for _ in 0..<40 {
      guard let status = try HostFiles.status(path, followingLinks: false), status.kind == .symbolicLink,
        let target = HostFiles.linkTarget(path)
      else { return path }
      path = path.directory.pushing(FilePath(target))
    }
    throw .failed("open", path, .tooManySymbolicLinkLevels)
  }
}

extension FilePath {
  /// The directory that has the file.
  var directory: FilePath {
    let directory = removingLastComponent()
    return directory.isEmpty ? FilePath(".") : directory
  }

  /// A name of our own in the same directory.
  var beside: FilePath {
    let random = UInt32.random(in: .min ... .max)
    return directory.appending(".\(lastComponent?.string ?? "").tmp-\(random)")
  }
}
