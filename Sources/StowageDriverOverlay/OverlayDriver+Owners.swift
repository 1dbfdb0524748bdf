// SPDX-License-Identifier: Apache-2.0

import StowageDiff
import StowageDriverAPI
import StowageFiles
import StowageModel
import StowageMounts
import StowageSystem
import SystemPackage

extension OverlayDriver {
  /// Copies everything that the first of `parents` shows into an empty directory, with other owners (graph-drivers 12.3).
  ///
  /// The kernel, or the mount program, does the copying: the directory is the upper one of an overlay in which every object
  /// gets its owner. File data are shared where the file system can. The mount ends with the process.
  func copy(
    _ parents: [LayerLocation], to content: FilePath, work: FilePath, _ options: LayerCreateOptions
  ) throws(StorageError) {
    let shift: OwnerShift
    if let given = options.shift {
      shift = given
    } else {
      shift = try OwnerShift(from: options.idMaps, to: options.idMaps)
    }
    // Files must come whole, and hard links are mended here.
    var words = settings.mountProgram == nil ? ["metacopy=off", "index=off"] : []
    if settings.mountProgram == nil, context.inUserNamespace { words.append("userxattr") }
    // Without this the kernel flushes each file; the driver's sync policy says when that is to happen.
    if try supportsVolatile() { words.append("volatile") }
    let mount = OverlayMount(
      lowers: try lowerDirectories(of: try creationChain(parents)), upper: content, work: work, options: words,
      flags: [], label: options.mountLabel, target: runHome.appending("copy-\(LayerID.random())"))
    let tree = try open(mount)
    do throws(StorageError) {
      try changeOwners(
        below: tree.rawValue,
        OwnerChangeOptions(
          shift, touchesAll: options.isCopy,
          rewritesOverrides: settings.forceMask != nil && settings.mountProgram == nil))
    } catch {
      throw error.duringOwnerChange
    }
    if syncPolicy == .eachFile {
      try attempt("syncfs", content) { () throws(Errno) in
        let directory = try Syscall.open(content, [.readOnly, .directory])
        try Syscall.syncfs(directory.rawValue)
      }
    }
  }

  private func open(_ mount: OverlayMount) throws(StorageError) -> OwnedDescriptor {
    guard let program = settings.mountProgram else { return try OverlayMounter.open(mount) }
    return try OverlayMounter.openAttached(
      mount.target, self.program(program, mount, MountOptions(disableShifting: true)))
  }
}
