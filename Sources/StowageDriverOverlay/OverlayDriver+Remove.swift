// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
package import StowageFiles
package import StowageModel
import StowageMounts
import StowageSystem
package import SystemPackage

extension OverlayDriver {
  /// Moves the `l` entry, then the directory, into `tempdirs` of the layer's own home (graph-drivers 6.4).
  package func remove(_ layer: LayerLocation, into bins: inout DeferredRemoval) throws(StorageError) {
    guard layer.isWritable else { throw OverlayDriver.readOnly(layer) }
    let files = files(of: layer)
    let bin = files.home.appending("tempdirs")
    for entry in try linkEntries(of: files) { _ = try bins.add(entry, bin: bin) }
    _ = try bins.add(files.path, bin: bin)
  }

  /// Deletes a layer's link and directory at once.
  func removeNow(_ files: OverlayLayer) throws(StorageError) {
    for entry in try linkEntries(of: files) {
      do throws(Errno) { try Syscall.unlink(entry) } catch {
        Log.warning("overlay: cannot remove \(entry): \(error.referenceText)")
      }
    }
    try removeTree(files.path)
  }

  /// The entries in `l` that lead to the layer: the one its `link` file names, or, if that cannot be read, all found by
  /// their target (changes-1.64 6.2).
  private func linkEntries(of files: OverlayLayer) throws(StorageError) -> [FilePath] {
    if let name = (try? files.shortName()) ?? nil {
      let entry = files.linkEntry(name)
      if HostFiles.linkTarget(entry) == files.linkTarget { return [entry] }
    }
    let links = files.home.appending("l")
    return (try HostFiles.entries(links) ?? []).lazy
      .filter { $0.kind == .symbolicLink }
      .map { links.appending($0.name) }
      .filter { HostFiles.linkTarget($0) == files.linkTarget }
  }

  /// All directories of the home but `l`, `staging`, `tempdirs`, `lost+found` and what probes left behind
  /// (graph-drivers 26.16).
  package func listLayers(in root: FilePath) throws(StorageError) -> [String] {
    let home = home(of: root)
    var names: [String] = []
    for (name, kind) in try HostFiles.entries(home) ?? [] where kind == .directory {
      if ["l", "staging", "tempdirs"].contains(name) || HostFiles.isLostAndFound(name) { continue }
      if try !OverlayDriver.isProbeLeftover(name, in: home) { names.append(name) }
    }
    return names
  }

  /// Whether a directory is one of the reference's probes: by its name, and because it has nothing of a layer.
  static func isProbeLeftover(_ name: String, in home: FilePath) throws(StorageError) -> Bool {
    let prefixes = ["compat", "metacopy-check", "opaque-bug-check", "volatile-check"]
    guard
      prefixes.contains(where: { name.hasPrefix($0) && name.dropFirst($0.count).allSatisfy(\.isNumber) })
    else { return false }
    let files = OverlayLayer(home: home, id: name)
    if try HostFiles.exists(files.diff) { return false }
    return try !HostFiles.exists(files.linkFile)
  }

  /// Removes stale staging directories, and the home's private mount unless somebody still stages (graph-drivers 8.3).
  package func cleanUp() throws(StorageError) {
    var inUse = false
    for home in Set([graphHome, context.imageStore.map { self.home(of: $0) } ?? graphHome]) {
      let staging = home.appending("staging")
      for entry in try HostFiles.entries(staging) ?? [] where entry.kind == .directory {
        let directory = staging.appending(entry.name)
        if try !OverlayDriver.removeStale(directory) { inUse = true }
      }
    }
    if !inUse { try MountExecutor.endPrivateMount(graphHome) }
  }

  /// Deletes a staging directory whose lock is free. Returns false if somebody holds it.
  private static func removeStale(_ directory: FilePath) throws(StorageError) -> Bool {
    let file = directory.appending("staging.lock")
    let lock = try StoreFile.open(file, [.readWrite, .create], mode: 0o644)
    guard try attempt("lock", file, { () throws(Errno) in try Syscall.setlk(lock.rawValue, .write) }) else {
      return false
    }
    do throws(StorageError) { try removeTree(directory) } catch {
      Log.warning("overlay: cannot remove the stale staging directory \(directory): \(error)")
    }
    return true
  }

  /// Removes mount points, which each mount makes anew, and the kernel's own directories in those for work, which it makes anew.
  /// Older versions of the reference do not make `work` itself, so that stays.
  package func yieldSpace(of layers: [LayerLocation]) {
    for layer in layers where layer.isWritable {
      let files = files(of: layer)
      // They are removed only if they are empty.
      for path in [files.merged, files.work.appending("work")] { try? Syscall.rmdir(path) }
    }
  }

  /// Renames the layer's directory, to which mounts hold on by inode, and turns its entry in `l` to the new name.
  package func retire(_ layer: LayerLocation, as id: LayerID) throws(StorageError) {
    guard layer.isWritable else { throw OverlayDriver.readOnly(layer) }
    let (old, new) = (files(of: layer), OverlayLayer(home: files(of: layer).home, id: id.rawValue))
    guard try HostFiles.exists(old.path, followingLinks: false) else { return }
    let name = try old.shortName()
    try HostFiles.rename(old.path, new.path)
    if let name, HostFiles.linkTarget(old.linkEntry(name)) == old.linkTarget {
      HostFiles.removeLink(old.linkEntry(name), leadingTo: old.linkTarget)
      try HostFiles.symlink(new.linkEntry(name), to: new.linkTarget)
    }
    // The old name is not recorded any more when the caller goes on: it must not come back.
    try AtomicFile.syncDirectories([old.home, old.links])
  }
}
