// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageFiles
package import StowageModel
package import StowageSystem
package import SystemPackage

/// Mounts overlays by the best means the kernel has (graph-drivers 9, changes-1.64 4.3).
package enum OverlayMounter {
  /// The most lower directories a layer may have, diffs of its own not counted.
  package static let maximumDepth = 500

  /// How the kernel is told what to mount.
  package enum Means: Hashable, Sendable, CaseIterable {
    /// By an option text, if that is possible, else by parameters, else by descriptors.
    case automatic
    /// mount(2) with paths in the option text.
    case optionText
    /// fsopen(2) with one parameter for each lower directory, Linux 6.7.
    case parameters
    /// mount(2) with descriptor numbers in the option text.
    case descriptors
  }

  /// Mounts an overlay; on failure nothing is mounted.
  ///
  /// If the option text fits into a page, mount(2) gets it as the reference would write it. Longer ones and paths that
  /// cannot be written in an option text go through fsopen(2) with one parameter for each lower directory; kernels
  /// without that get descriptor numbers.
  ///
  /// - Throws: `mountFailed`: `creating overlay mount to <target>, mount_data="<data>": <reason>`.
  ///   `layerUnknown` if a lower directory was replaced by another one meanwhile; nothing stays mounted then.
  package static func mount(_ mount: OverlayMount, by means: Means = .automatic) throws(StorageError) {
    let witness: LowerWitness
    do throws(Errno) {
      witness = try LowerWitness(mount)
      try perform(mount, by: means)
    } catch {
      throw StorageError(
        .mountFailed,
        "creating overlay mount to \(mount.target), mount_data=\(goQuoted(mount.data)): \(error.referenceText)",
        path: mount.target.string, cause: error)
    }
    guard let path = witness.replaced() else { return }
    // The error that led here is told.
    try? Syscall.umount(mount.target, flags: .detach)
    throw StorageError(
      .layerUnknown, "\(path) was replaced while it was mounted on \(mount.target): nothing is mounted",
      path: path.string)
  }

  private static func perform(_ mount: OverlayMount, by means: Means) throws(Errno) {
    let data = mount.data
    guard mount.shift.isEmpty else { return try mountShifted(mount, by: means) }
    switch means {
    case .optionText: try mountByText(mount, data)
    case .parameters: try mountByParameters(mount)
    case .descriptors: try mountByDescriptors(mount)
    case .automatic:
      if data.utf8.count < pageSize, !mount.hasUnwritablePaths { return try mountByText(mount, data) }
      do throws(Errno) {
        return try mountByParameters(mount)
      } catch .noFunction, .notPermitted, .unknownParameter {
        try mountByDescriptors(mount)
      }
    }
  }

  /// Makes the mount without attaching it for longer than the kernel forces us to, so that it ends with the process.
  ///
  /// - Parameter mount: its target is a directory to be made, used only by kernels that cannot do without, and removed.
  /// - Returns: the root, open for reading.
  /// - Throws: `mountFailed`, `system`.
  package static func open(_ mount: OverlayMount) throws(StorageError) -> OwnedDescriptor {
    do throws(Errno) {
      let tree = try configured(mount)
      return try Syscall.openat(tree.rawValue, ".", [.readOnly, .directory])
    } catch {
      Log.debug("overlay: a mount that is attached nowhere is refused: \(error.referenceText)")
    }
    return try openAttached(mount.target, mount)
  }

  /// Performs a mount at a directory made for it, opens its root, and detaches it at once: it ends when the root is closed.
  package static func openAttached(_ place: FilePath, _ mount: any TreeMount) throws(StorageError) -> OwnedDescriptor {
    try HostFiles.ensureDirectory(place, mode: 0o700, owner: .current)
    defer { try? Syscall.rmdir(place) }
    try MountExecutor.perform(MountPlan(steps: [mount], mountPoint: place))
    // A mount that stays is below the run root and does no harm.
    defer { try? MountExecutor.unmount(place) }
    return try attempt("open", place) { () throws(Errno) in try Syscall.open(place, [.readOnly, .directory]) }
  }

  private static func mountByText(_ mount: OverlayMount, _ data: String) throws(Errno) {
    try Syscall.mount(source: "overlay", target: mount.target, type: "overlay", flags: mount.flags, data: data)
  }

  /// The size of a page, the limit of mount(2)'s option text.
  static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))

  /// fsopen(2) with `lowerdir+`, Linux 6.7.
  ///
  /// - Parameter opened: the lower directories, if they are open already.
  static func mountByParameters(_ mount: OverlayMount, opened: [SharedDescriptor]? = nil) throws(Errno) {
    let tree = try configured(mount, opened: opened)
    try Syscall.moveMount(tree.rawValue, to: mount.target)
  }

  /// The mount, attached nowhere.
  private static func configured(
    _ mount: OverlayMount, opened: [SharedDescriptor]? = nil
  ) throws(Errno) -> OwnedDescriptor {
    let context = try Syscall.fsopen("overlay")
    try Syscall.fsconfig(context.rawValue, .string("source", "overlay"))
    var kept: [SharedDescriptor] = []
    for (index, lower) in mount.allLowers.enumerated() {
      let text =
        if let opened { "/proc/self/fd/\(opened[index].rawValue)" } else {
          try parameter(for: lower, escapes: false, keeping: &kept)
        }
      do throws(Errno) {
        try Syscall.fsconfig(context.rawValue, .string("lowerdir+", text))
      } catch .invalidArgument where index == 0 {
        throw .unknownParameter
      }
    }
    if let work = mount.work {
      try Syscall.fsconfig(
        context.rawValue, .string("upperdir", try parameter(for: mount.upper, escapes: true, keeping: &kept)))
      try Syscall.fsconfig(
        context.rawValue, .string("workdir", try parameter(for: work, escapes: true, keeping: &kept)))
    }
    for option in mount.options { try Syscall.fsconfig(context.rawValue, MountParameter(option: option)) }
    if !mount.label.isEmpty { try Syscall.fsconfig(context.rawValue, .string("context", mount.label)) }
    for word in mount.flags.superblockWords { try Syscall.fsconfig(context.rawValue, .flag(word)) }
    try Syscall.fsconfig(context.rawValue, .create)
    return try Syscall.fsmount(context.rawValue, attributes: mount.flags.attributes)
  }

  /// A path as a parameter's text, which may have 255 bytes; longer ones go by descriptor.
  private static func parameter(
    for path: FilePath, escapes: Bool, keeping kept: inout [SharedDescriptor]
  ) throws(Errno) -> String {
    let text = path.string
    if text.utf8.count < 256, !escapes || !text.utf8.contains(0x5C) { return text }
    let descriptor = SharedDescriptor(try Syscall.open(path, [.path, .directory]))
    kept.append(descriptor)
    return "/proc/self/fd/\(descriptor.rawValue)"
  }

  /// mount(2) with descriptor numbers instead of paths, on a thread whose working directory is `/proc/self/fd`.
  private static func mountByDescriptors(_ mount: OverlayMount) throws(Errno) {
    var kept: [SharedDescriptor] = []
    func number(_ path: FilePath) throws(Errno) -> String {
      let descriptor = SharedDescriptor(try Syscall.open(path, [.path, .directory]))
      kept.append(descriptor)
      return String(descriptor.rawValue)
    }
    var lowers: [String] = []
    for lower in mount.allLowers { lowers.append(try number(lower)) }
    var data = "lowerdir=" + lowers.joined(separator: ":")
    if let work = mount.work {
      data += ",upperdir=\(try number(mount.upper)),workdir=\(try number(work))"
    }
    data += mount.optionSuffix
    guard data.utf8.count < pageSize else { throw .argListTooLong }
    let (text, target, flags) = (data, mount.target, mount.flags)
    try PlainThread.runIsolated { () throws(Errno) in
      try Syscall.unshare(.fileSystemContext)
      try checked { chdir("/proc/self/fd") }
      try Syscall.mount(source: "overlay", target: target, type: "overlay", flags: flags, data: text)
    }
    withExtendedLifetime(kept) {}
  }
}

extension OverlayMount {
  /// Whether a path has a byte that the option text gives a meaning to.
  fileprivate var hasUnwritablePaths: Bool {
    let awkward: (FilePath) -> Bool = { path in
      path.string.utf8.contains { $0 == 0x2C || $0 == 0x3A || $0 == 0x5C || $0 == 0x22 }
    }
    return allLowers.contains(where: awkward) || awkward(upper) || work.map(awkward) == true
  }
}

extension Errno {
  /// Our own marker: the kernel does not know `lowerdir+`. Never a result of the calls concerned.
  fileprivate static let unknownParameter = Errno.protocolNotSupported
}

extension MountParameter {
  /// An option word, `key` or `key=value`.
  fileprivate init(option: String) {
    if let equals = option.firstIndex(of: "=") {
      self = .string(String(option[..<equals]), String(option[option.index(after: equals)...]))
    } else {
      self = .flag(option)
    }
  }
}

extension MountFlags {
  /// The flags that belong to the file system, as words.
  fileprivate var superblockWords: [String] {
    let words: [(MountFlags, String)] = [
      (.readOnly, "ro"), (.synchronous, "sync"), (.directorySync, "dirsync"), (.mandatoryLocks, "mand"),
    ]
    return words.filter { contains($0.0) }.map(\.1)
  }

  /// The flags that belong to the mount.
  fileprivate var attributes: MountAttributes {
    let pairs: [(MountFlags, MountAttributes)] = [
      (.readOnly, .readOnly), (.noSetID, .noSetID), (.noDevices, .noDevices), (.noExecute, .noExecute),
      (.noAccessTime, .noAccessTime), (.strictAccessTime, MountAttributes(rawValue: 0x20)),
      (.noDirectoryAccessTime, MountAttributes(rawValue: 0x80)),
    ]
    var result: MountAttributes = []
    for (flag, attribute) in pairs where contains(flag) { result.formUnion(attribute) }
    return result
  }
}
