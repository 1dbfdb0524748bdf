// SPDX-License-Identifier: Apache-2.0

import Glibc
package import StowageDriverAPI
import StowageFiles
package import StowageModel
import StowageMounts
import StowageSystem
import SystemPackage

extension OverlayDriver {
  /// Sets up the driver in `<graph root>/overlay`.
  package static func make(_ context: DriverContext) throws(StorageError) -> OverlayDriver {
    try make(context, homeName: "overlay")
  }

  /// Sets up the driver (graph-drivers 4.2, changes-1.64 7.1).
  ///
  /// If it fails, directories that were made here and are empty are removed again (graph-drivers 26.13).
  package static func make(_ context: DriverContext, homeName: String) throws(StorageError) -> OverlayDriver {
    let settings = try OverlaySettings(context.options(for: ["overlay", "overlay2"]))
    let info = try attempt("statfs", context.graphRoot) { () throws(Errno) in try Syscall.statfs(context.graphRoot) }
    let backing = BackingFileSystem(magic: UInt32(truncatingIfNeeded: info.magic))
    try checkQuota(settings, backing)
    try checkComposefs(settings, context)
    let setup = OverlaySetup(
      context: context, home: context.graphRoot.appending(homeName), runHome: context.runRoot.appending(homeName),
      backing: backing)
    let isNew = try !HostFiles.exists(setup.home)
    do throws(StorageError) {
      return try setup.driver(settings)
    } catch {
      if isNew { setup.withdraw() }
      throw error
    }
  }

  /// Refuses composefs: for the reference's reasons where it has one, else because this version lacks it.
  private static func checkComposefs(_ settings: OverlaySettings, _ context: DriverContext) throws(StorageError) {
    guard settings.wantsComposefs else { return }
    if context.inUserNamespace { throw StorageError(.notSupported, "composefs is not supported in user namespaces") }
    if Executable.find("mkcomposefs") == nil {
      throw StorageError(
        .notSupported, "composefs helper program not found: \(Executable.notFoundText("mkcomposefs"))")
    }
    throw StorageError(
      .notSupported, "overlay: composefs is not supported by this version (see the status table): driver not supported")
  }

  private static func checkQuota(_ settings: OverlaySettings, _ backing: BackingFileSystem) throws(StorageError) {
    guard settings.wantsQuota else { return }
    if backing == .xfs {
      throw StorageError(
        .invalidOption,
        "storage options overlay.size and overlay.inodes not supported. Filesystem does not support Project Quota: "
          + "not supported by this version")
    }
    throw StorageError(
      .invalidOption,
      "storage option overlay.size and overlay.inodes only supported for backingFS XFS. Found \(backing.name)")
  }
}

/// The steps that set up an overlay driver.
struct OverlaySetup {
  let context: DriverContext
  let home: FilePath
  let runHome: FilePath
  let backing: BackingFileSystem

  /// Makes directories, decides on a mount program, probes, recovers and mounts the home.
  func driver(_ options: OverlaySettings) throws(StorageError) -> OverlayDriver {
    if context.isReadOnly { return try readOnlyDriver(options) }
    var settings = options
    // Mapped users go through it, whatever the umask of who opened the store first.
    try HostFiles.ensureDirectory(home, mode: 0o755, owner: .current, isExact: true)
    try HostFiles.refuseLink(home.appending("l"))
    try HostFiles.ensureDirectory(home.appending("l"), mode: 0o755, owner: .current, isExact: true)
    try HostFiles.ensureDirectory(runHome, mode: 0o700, owner: .current)
    let probes = OverlayProbes(
      home: home, cache: ProbeCache(directory: runHome), mountOptions: settings.mountOptions, backing: backing,
      inUserNamespace: context.inUserNamespace)
    if settings.mountProgram == nil, try !isNativeUsable(probes), let program = Executable.find("fuse-overlayfs") {
      settings.mountProgram = program
    }
    let features = try settings.mountProgram == nil ? kernelFeatures(probes) : programFeatures(&settings)
    _ = StagedDirectory.recover(root: home.appending("tempdirs"))
    if !settings.skipsHomeMount { try MountExecutor.makePrivateMount(home) }
    return OverlayDriver(
      settings: settings, context: context, graphHome: home, runHome: runHome, backing: backing, features: features,
      additionalImageStores: settings.additionalStores + context.additional)
  }

  /// Where nothing can be made nothing can be tried: trees are compared by mounting them, and a mount that the kernel does not
  /// support fails.
  private func readOnlyDriver(_ options: OverlaySettings) throws(StorageError) -> OverlayDriver {
    var settings = options
    try HostFiles.ensureDirectory(runHome, mode: 0o700, owner: .current)
    let usesProgram = try HostFiles.read(hasMountProgram).map { $0.starts(with: "true".utf8) } ?? (geteuid() != 0)
    if settings.mountProgram == nil, usesProgram { settings.mountProgram = Executable.find("fuse-overlayfs") }
    var features = OverlayFeatures()
    features.usesMetacopy = settings.mountOptions.contains("metacopy=on")
    features.nativeDiff = .unsupported("the graph root is read-only")
    return OverlayDriver(
      settings: settings, context: context, graphHome: home, runHome: runHome, backing: backing, features: features,
      additionalImageStores: settings.additionalStores + context.additional)
  }

  private func kernelFeatures(_ probes: OverlayProbes) throws(StorageError) -> OverlayFeatures {
    let reason = StorageError.Code.incompatibleFileSystem.text
    if backing.refusesOverlay {
      throw StorageError(
        .incompatibleFileSystem,
        "'overlay' is not supported over \(backing.name), a mount_program is required: \(reason)")
    }
    if context.inUserNamespace, backing.isNetwork {
      throw StorageError(
        .incompatibleFileSystem,
        "a network file system with user namespaces is not supported.  Please use a mount_program: \(reason)")
    }
    try probes.overlay()
    var features = OverlayFeatures()
    features.usesMetacopy = try probes.metacopy()
    features.nativeDiff = try probes.nativeDiff()
    if case .unsupported(let reason) = features.nativeDiff { Log.info(reason) }
    return features
  }

  private func programFeatures(_ settings: inout OverlaySettings) throws(StorageError) -> OverlayFeatures {
    if context.inUserNamespace, backing.isNetwork, settings.forceMask == nil {
      Log.warning("overlay: network file system and user namespace: setting force_mask to 700")
      settings.forceMask = 0o700
    }
    try recordMountProgram(true)
    return OverlayFeatures()
  }

  /// Whether the kernel's overlay may be used on this home (graph-drivers 4.3).
  private func isNativeUsable(_ probes: OverlayProbes) throws(StorageError) -> Bool {
    guard geteuid() == 0 else { return false }
    switch try HostFiles.read(hasMountProgram).map({ String(decoding: $0, as: UTF8.self).trimmedText }) {
    case "true": return false
    case "false": break
    default:
      let found = OverlaySetup.hasProgramTraces(home, depth: 0)
      try recordMountProgram(found)
      if found { return false }
    }
    do throws(StorageError) { try probes.overlay() } catch {
      // A full file system says nothing about the kernel.
      if error.isOutOfSpace { throw error }
      return false
    }
    return true
  }

  private var hasMountProgram: FilePath { home.appending(".has-mount-program") }

  private func recordMountProgram(_ value: Bool) throws(StorageError) {
    let text = String(value)
    if try HostFiles.read(hasMountProgram) != Array(text.utf8) {
      try AtomicFile.replace(hasMountProgram, text: text, mode: 0o600)
    }
  }

  /// Whether something below `path` was written through a mount program: a `.wh.` file, or its attributes on a directory.
  private static func hasProgramTraces(_ path: FilePath, depth: Int) -> Bool {
    guard depth < 512, let entries = (try? HostFiles.entries(path)) ?? nil else { return false }
    for entry in entries {
      if entry.name.hasPrefix(".wh.") { return true }
      guard entry.kind == .directory, let component = FilePath.Component(entry.name) else { continue }
      let child = path.appending(component)
      // A hint only: where names cannot be listed there is none.
      for name in (try? Syscall.llistxattr(child)) ?? [] {
        let text = String(decoding: name, as: UTF8.self)
        if text.hasPrefix("user.fuseoverlayfs.") || text.hasPrefix("user.containers.") { return true }
      }
      if hasProgramTraces(child, depth: depth + 1) { return true }
    }
    return false
  }

  /// Removes what a failed set-up made and left empty.
  func withdraw() {
    for name in ["l", "tempdirs"] { try? Syscall.rmdir(home.appending(name)) }
    let only = (try? HostFiles.entries(home)) ?? nil
    if only?.map(\.name) == [".has-mount-program"] { try? Syscall.unlink(hasMountProgram) }
    // Stays if it is in use, or not empty.
    try? Syscall.rmdir(home)
  }
}
