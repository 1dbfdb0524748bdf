// SPDX-License-Identifier: Apache-2.0

import StowageFiles
import StowageModel
import StowageSystem
import SystemPackage

/// Runs mount programs and their counterparts (graph-drivers 7.4, 8.2).
enum MountProgramRunner {
  /// Runs `<program> -o <data> <target>` in the home.
  ///
  /// - Throws: `mountFailed`: `creating overlay mount to …: using mount program <path>: <stderr>: <exit status>`.
  static func mount(_ program: MountProgram) throws(StorageError) {
    let context = "creating overlay mount to \(program.target), mount_data=\(goQuoted(program.data))"
    let outcome: (status: ExitStatus, error: [UInt8])
    do throws(Errno) {
      outcome = try Syscall.run(
        program.path.string, ["-o", program.data, program.target.string], directory: program.home)
    } catch {
      throw StorageError(
        .mountFailed,
        "\(context): using mount program \(program.path): <stderr empty>: fork/exec \(program.path): "
          + error.referenceText,
        path: program.target.string, cause: error)
    }
    guard !outcome.status.isSuccess else { return }
    let output = DriverOption.trimmed(String(decoding: outcome.error, as: UTF8.self))
    throw StorageError(
      .mountFailed,
      "\(context): using mount program \(program.path): \(output.isEmpty ? "<stderr empty>" : output): \(outcome.status)",
      path: program.target.string)
  }

  /// Asks the FUSE tools to unmount; if none can, flushes the mount so that a lazy unmount loses nothing.
  static func unmount(_ path: FilePath) {
    for tool in ["fusermount3", "fusermount"] {
      if let outcome = try? Syscall.run(tool, ["-u", path.string]), outcome.status.isSuccess { return }
      Log.debug("overlay: \(tool) -u \(path) failed")
    }
    if let directory = try? Syscall.open(path, [.readOnly, .directory]) { try? Syscall.syncfs(directory.rawValue) }
  }
}
