// SPDX-License-Identifier: Apache-2.0

import StowageDriverAPI
import StowageFiles
import StowageModel
import StowageMounts
import StowageSystem
import SystemPackage

/// Asks the kernel what its overlay can do, by trying (graph-drivers 4.5).
///
/// Trials run in a staged directory of `tempdirs`, which nobody takes for a layer and every opener cleans up
/// (graph-drivers 26.16).
struct OverlayProbes {
  /// The driver's directory in the graph root.
  let home: FilePath
  /// Known results.
  let cache: ProbeCache
  /// The configured mount options, part of some names.
  let mountOptions: String
  /// The file system below `home`.
  let backing: BackingFileSystem
  /// Whether the mounts need `userxattr`.
  let inUserNamespace: Bool

  private var attributePrefix: String { inUserNamespace ? "user.overlay." : "trusted.overlay." }

  /// Checks that overlays can be mounted over the home's file system.
  ///
  /// - Throws: `incompatibleFileSystem`, also for a recorded failure, with exactly the recorded text.
  func overlay() throws(StorageError) {
    if let known = cache.lookup("overlay") {
      guard !known.isSupported else { return }
      throw StorageError(.incompatibleFileSystem, known.text, path: home.string)
    }
    do throws(StorageError) {
      try withScratch { (scratch) throws(StorageError) in try tryOverlay(scratch) }
    } catch {
      if (error.cause as? Errno) != .noSpace { cache.record("overlay", false, error.message) }
      throw error
    }
    cache.record("overlay", true)
  }

  private func tryOverlay(_ scratch: Scratch) throws(StorageError) {
    try scratch.makeDirectories(["lower1", "lower2", "lower2/subdir", "upper", "work", "merged"])
    try AtomicFile.replace(scratch.path("lower2/subdir/file"), text: "", mode: 0o600, isFlushed: false)
    try checkFileTypes(scratch.root)
    try attempt("mknod", scratch.path("upper/whiteout")) { () throws(Errno) in
      try Syscall.mknod(scratch.path("upper/whiteout"), mode: 0o020600, device: 0)
    }
    do throws(Errno) {
      try scratch.mount(lowers: ["lower1", "lower2"], upper: "upper", words: extraWords)
    } catch {
      throw StorageError(
        .incompatibleFileSystem,
        "kernel does not support overlay fs: 'overlay' is not supported over \(backing.name) at "
          + "\(goQuoted(home.string)): \(error.referenceText): "
          + StorageError.Code.incompatibleFileSystem.text, path: home.string, cause: error)
    }
    try removeTree(scratch.path("merged/subdir"))
  }

  private var extraWords: [String] { inUserNamespace ? ["userxattr"] : [] }

  /// Without file types in directory listings, overlay cannot hide its whiteouts.
  private func checkFileTypes(_ path: FilePath) throws(StorageError) {
    let complete = try attempt("open", path) { () throws(Errno) -> Bool in
      let directory = try Syscall.open(path, [.readOnly, .directory])
      var reader = DirectoryReader(borrowing: directory.rawValue)
      while let entry = try reader.next() {
        if entry.kind == .unknown { return false }
      }
      return true
    }
    guard !complete else { return }
    var text =
      "overlay: the backing \(backing.name) filesystem is formatted without d_type support, which leads to incorrect "
      + "behavior."
    if backing == .xfs { text += " Reformat the filesystem with ftype=1 to enable d_type support." }
    text += " Running without d_type is not supported.: " + StorageError.Code.unsupportedDriver.text
    throw StorageError(.unsupportedDriver, text, path: home.string)
  }

  /// Whether a change of mode through a mount with the configured options copies up metadata only.
  func metacopy() throws(StorageError) -> Bool {
    let feature = "metacopy(\(mountOptions))"
    if let known = cache.lookup(feature) { return known.isSupported }
    let result = try withScratch { (scratch) throws(StorageError) in try tryMetacopy(scratch) }
    cache.record(feature, result)
    return result
  }

  private func tryMetacopy(_ scratch: Scratch) throws(StorageError) -> Bool {
    try scratch.makeDirectories(["l1", "l2", "work", "merged"])
    try AtomicFile.replace(scratch.path("l1/f"), text: "\u{7f}", mode: 0o700, isFlushed: false)
    return try attempt("mount", scratch.path("merged")) { () throws(Errno) -> Bool in
      do throws(Errno) {
        try scratch.mount(lowers: ["l1"], upper: "l2", words: configuredWords)
      } catch .invalidArgument {
        return false
      }
      try Syscall.chmod(scratch.path("merged/f"), mode: 0o600)
      do throws(Errno) {
        return try Syscall.lgetxattr(scratch.path("l2/f"), attributePrefix + "metacopy") != nil
      } catch .notSupported {
        return false
      }
    }
  }

  /// Whether the kernel neither renames directories by reference nor copies up opaque marks.
  func nativeDiff() throws(StorageError) -> NativeDiff {
    let feature = "native-diff(\(mountOptions))"
    if let known = cache.lookup(feature) { return known.isSupported ? .supported : .unsupported(known.text) }
    guard let reason = try withScratch({ (scratch) throws(StorageError) in try tryNativeDiff(scratch) }) else {
      cache.record(feature, true)
      return .supported
    }
    let text =
      "Not using native diff for overlay, this may cause degraded performance for building images: " + reason
    cache.record(feature, false, text)
    return .unsupported(text)
  }

  /// The reason why differences are not native, or `nil`.
  private func tryNativeDiff(_ scratch: Scratch) throws(StorageError) -> String? {
    try scratch.makeDirectories(["l1", "l1/d", "l1/d1", "l2", "l2/d", "l3", "work", "merged"], mode: 0o755)
    let opaque = attributePrefix + "opaque"
    try HostFiles.setAttribute(scratch.path("l2/d"), opaque, "y")
    do throws(Errno) {
      try scratch.mount(lowers: ["l2", "l1"], upper: "l3", words: configuredWords)
      let file = try Syscall.open(scratch.path("merged/d/f"), [.writeOnly, .create], mode: 0o644)
      try file.close()
      if try Syscall.lgetxattr(scratch.path("l3/d"), opaque) == Array("y".utf8) {
        return "opaque flag erroneously copied up, consider update to kernel 4.8 or later to fix"
      }
      do throws(Errno) {
        try Syscall.rename(scratch.path("merged/d1"), scratch.path("merged/d2"))
      } catch .improperLink {
        return nil
      }
      if try Syscall.lgetxattr(scratch.path("l3/d2"), attributePrefix + "redirect") == Array("d1".utf8) {
        return "kernel has CONFIG_OVERLAY_FS_REDIRECT_DIR enabled"
      }
      return nil
    } catch {
      return "failed to mount overlay: \(error.referenceText)"
    }
  }

  /// Whether mounts may be volatile. A failure is not recorded.
  func volatile() throws(StorageError) -> Bool {
    if let known = cache.lookup("volatile") { return known.isSupported }
    let result = try withScratch { (scratch) throws(StorageError) -> Bool in
      try scratch.makeDirectories(["lower", "upper", "work", "merged"])
      // A refusal is the answer.
      return (try? scratch.mount(lowers: ["lower"], upper: "upper", words: ["volatile"] + extraWords)) != nil
    }
    if result { cache.record("volatile", true) }
    return result
  }

  private var configuredWords: [String] {
    mountOptions.split(separator: ",").map(String.init) + extraWords
  }

  /// Runs a trial in a directory of its own; whatever it mounted is unmounted.
  func withScratch<R>(_ body: (Scratch) throws(StorageError) -> R) throws(StorageError) -> R {
    let staged = try StagedDirectory.create(in: home.appending("tempdirs"))
    let scratch = Scratch(root: staged.addition())
    let result: Result<R, StorageError>
    do throws(StorageError) {
      try HostFiles.makeDirectory(scratch.root, mode: 0o700, owner: .current)
      result = .success(try body(scratch))
    } catch {
      result = .failure(error)
    }
    // Mostly nothing is mounted; the removal ends what is.
    try? MountExecutor.unmount(scratch.path("merged"))
    try staged.discard()
    return try result.get()
  }
}

/// The directory of a trial.
struct Scratch {
  /// Its path.
  let root: FilePath

  /// A path in it.
  func path(_ relative: String) -> FilePath { FilePath("\(root)/\(relative)") }

  /// Makes directories, parents first.
  func makeDirectories(_ names: [String], mode: UInt16 = 0o700) throws(StorageError) {
    for name in names { try HostFiles.makeDirectory(path(name), mode: mode, owner: .current) }
  }

  /// Mounts an overlay of directories in here at `merged`, with `work` as work directory.
  func mount(lowers: [String], upper: String, words: [String]) throws(Errno) {
    let (flags, data) = MountFlags.split(words)
    let mount = OverlayMount(
      lowers: lowers.map { path($0) }, upper: path(upper), work: path("work"), options: data, flags: flags, label: "",
      target: path("merged"))
    do throws(StorageError) { try OverlayMounter.mount(mount) } catch {
      throw (error.cause as? Errno) ?? .invalidArgument
    }
  }
}
