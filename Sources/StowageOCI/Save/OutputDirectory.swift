// SPDX-License-Identifier: Apache-2.0

import StowageFiles
import StowageModel
import StowageSystem
import SystemPackage

/// A directory that is there under its name when it is complete, and not before.
///
/// It is made in `.NAME.stowage-save` beside its place. What a killed process left there goes with the next save to the place.
struct OutputDirectory: ~Copyable {
  /// Where it is made.
  let path: FilePath
  private let target: FilePath
  private let staging: StagedDirectory

  /// - Throws: `usage` if there is something with content already; `system`.
  init(_ name: String) throws(StorageError) {
    var target = FilePath(name)
    // `dir/` and `dir/.` are the same place.
    while target.lastComponent?.kind == .currentDirectory { target.removeLastComponent() }
    guard target.lastComponent?.kind == .regular else {
      throw StorageError(.usage, "\(name) has no name of its own: name a directory to be made", path: name)
    }
    switch try HostFiles.status(target)?.kind {
    case nil: break
    case .directory:
      guard try HostFiles.entries(target)?.isEmpty != false else {
        throw StorageError(
          .usage, "\(name) is not empty: name a directory that is to be made, or remove what is there", path: name)
      }
    default: throw StorageError(.usage, "\(name) is no directory, where one is to be made", path: name)
    }
    guard try HostFiles.isDirectory(target.directory) else { throw .failed("mkdir", target, .noSuchFileOrDirectory) }
    let root = target.directory.appending(".\(target.lastComponent?.string ?? "").stowage-save")
    StagedDirectory.recover(root: root, isTransient: true)
    let staging = try StagedDirectory.create(in: root, isTransient: true)
    let path = staging.addition()
    try OutputDirectory.make(path)
    self.target = target
    self.path = path
    self.staging = staging
  }

  /// Gives the directory its name.
  consuming func commit() throws(StorageError) {
    try HostFiles.rename(path, target)
    try staging.finish()
  }

  /// Makes a directory with the mode that directories have.
  static func make(_ path: FilePath) throws(StorageError) {
    do throws(Errno) { try Syscall.mkdir(path, mode: 0o755) } catch { throw .failed("mkdir", path, error) }
  }
}
