// SPDX-License-Identifier: Apache-2.0

import StowageFiles
package import StowageModel
import StowageSystem
package import SystemPackage

/// An invocation of a mount program (graph-drivers 7.4).
package struct MountProgram: TreeMount, Hashable {
  /// The executable.
  package var path: FilePath
  /// The option string after `-o`.
  package var data: String
  /// Where to mount.
  package var target: FilePath
  /// The directory to start the program in.
  package var home: FilePath

  /// Describes an invocation.
  package init(path: FilePath, data: String, target: FilePath, home: FilePath) {
    self.path = path
    self.data = data
    self.target = target
    self.home = home
  }

  /// The command line.
  package var description: String { "run \(path) -o \(data) \(target)" }

  /// Runs `<program> -o <data> <target>` in the home.
  ///
  /// - Throws: `mountFailed`: `creating overlay mount to …: using mount program <path>: <stderr>: <exit status>`.
  package func perform() throws(StorageError) -> MountOutcome {
    let context = "creating overlay mount to \(target), mount_data=\(goQuoted(data))"
    let outcome: (status: ExitStatus, error: [UInt8])
    do throws(Errno) {
      outcome = try Syscall.run(
        path.string, ["-o", data, target.string], directory: home)
    } catch {
      throw StorageError(
        .mountFailed,
        "\(context): using mount program \(path): <stderr empty>: fork/exec \(path): "
          + error.referenceText,
        path: target.string, cause: error)
    }
    guard !outcome.status.isSuccess else { return .done }
    let output = String(decoding: outcome.error, as: UTF8.self).trimmedText
    throw StorageError(
      .mountFailed,
      "\(context): using mount program \(path): \(output.isEmpty ? "<stderr empty>" : output): \(outcome.status)",
      path: target.string)
  }
}

/// Asks the FUSE tools to unmount, `fusermount3`, then `fusermount`; if none can, flushes the mount so that a lazy unmount
/// loses nothing (graph-drivers 8.2).
package struct UnmountProgram: MountStep {
  /// Where the program mounted.
  package let path: FilePath

  /// Names the mount.
  package init(_ path: FilePath) { self.path = path }

  /// Does it; nothing fails.
  package func perform() -> MountOutcome {
    for tool in ["fusermount3", "fusermount"] {
      if let outcome = try? Syscall.run(tool, ["-u", path.string]), outcome.status.isSuccess { return .done }
      Log.debug("overlay: \(tool) -u \(path) failed")
    }
    // The program's end is what counts; content that is not flushed is as after any process.
    if let directory = try? Syscall.open(path, [.readOnly, .directory]) { try? Syscall.syncfs(directory.rawValue) }
    return .done
  }

  /// The command line of the second attempt.
  package var description: String { "fusermount -u \(path)" }
}
