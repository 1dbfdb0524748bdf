// SPDX-License-Identifier: Apache-2.0
internal import StowageSystem
package import SystemPackage

/// A process that lives in a directory tree: as its root, as containers do, or by its working directory.
package struct TreeUser: Hashable, Sendable, CustomStringConvertible {
  /// The process.
  package let pid: Int32
  /// The short name of its program, at most 15 bytes; empty if it is gone by now.
  package let command: String

  /// `process 4711 (nginx)`.
  package var description: String { command.isEmpty ? "process \(pid)" : "process \(pid) (\(command))" }

  /// The processes that live in a tree, by number, this one left out; only those that may be looked at. If something is mounted
  /// there, all processes in it, else those whose root or working directory is the tree's root.
  ///
  /// - Complexity: two `stat` for each process on the machine: for people's eyes, not for programs.
  package static func all(of tree: FilePath) -> [TreeUser] {
    // Nobody lives in a tree that is not there, and without /proc nobody can be told: this is for people's eyes.
    guard let root = try? Syscall.stat(tree), let names = try? Syscall.directoryNames("/proc") else { return [] }
    // Only an overlay or the like has a device of its own.
    let outside = try? Syscall.stat(tree.removingLastComponent())
    let isMount = MountTable.isMountPoint(tree) && outside.map { $0.device != root.device } ?? false
    let own = (try? Syscall.readlink("/proc/self")).map { String(decoding: $0, as: UTF8.self) }
    let pids = names.map { String(decoding: $0, as: UTF8.self) }.filter { $0 != own }.compactMap { Int32($0) }
    return pids.sorted().compactMap { pid in
      let process = FilePath("/proc/\(pid)")
      let lives = ["root", "cwd"].contains { link in
        // Processes end while they are looked at, and others may not be.
        guard let place = try? Syscall.stat(process.appending(link)) else { return false }
        return place.isSameFile(as: root) || isMount && place.device == root.device
      }
      return lives ? TreeUser(pid: pid, command: LockHolder.command(of: process)) : nil
    }
  }
}
