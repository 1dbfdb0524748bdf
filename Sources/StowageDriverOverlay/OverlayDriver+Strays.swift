// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
import StowageFiles
package import StowageModel
import StowageSystem
package import SystemPackage

extension OverlayDriver {
  /// Links that lead nowhere, staging directories of dead partial pulls, probes, and temporary files beside the short files
  /// of layers.
  package func strays(in root: FilePath, recorded: Set<LayerID>) throws(StorageError) -> [DriverStray] {
    let home = home(of: root)
    let bin = home.appending("tempdirs")
    var found = try danglingLinks(home, recorded).map { DriverStray(.link, $0, bin: bin) }
    found += try deadStaging(home).map { DriverStray(.staging, $0, bin: bin) }
    for entry in try HostFiles.entries(home) ?? [] {
      let path = home.appending(entry.name)
      // Only `storage.lock` of the graph root is held: in the image store somebody may be probing.
      if home == graphHome, entry.kind == .directory, try OverlayDriver.isProbeLeftover(entry.name, in: home) {
        found.append(DriverStray(.probe, path, bin: bin))
      } else if home == graphHome, OverlayDriver.isTemporary(entry.name, of: [".has-mount-program"]) {
        found.append(DriverStray(.temporary, path, bin: bin))
      } else if entry.kind == .directory, let id = LayerID(recorded: entry.name), recorded.contains(id) {
        for name in (try HostFiles.entries(path) ?? []).map(\.name)
        where OverlayDriver.isTemporary(name, of: ["link", "lower", "lower-layers"]) {
          found.append(DriverStray(.temporary, path.appending(name), bin: bin))
        }
      }
    }
    return found
  }

  /// Entries of `l` whose layer is neither recorded nor on disk (changes-1.64 6.3.5).
  private func danglingLinks(_ home: FilePath, _ recorded: Set<LayerID>) throws(StorageError) -> [FilePath] {
    var found: [FilePath] = []
    for (target, names) in try entriesByTarget(home) {
      guard let id = OverlayLayer.identifier(inLinkTarget: target), !recorded.contains(id),
        try !HostFiles.exists(OverlayLayer(home: home, id: id.rawValue).path, followingLinks: false)
      else { continue }
      found += names.map { home.appending("l").appending($0) }
    }
    return found
  }

  /// Directories of `staging` whose lock is free.
  ///
  /// A process makes the directory first, then locks: one that is younger than a minute may be on its way there.
  private func deadStaging(_ home: FilePath) throws(StorageError) -> [FilePath] {
    let staging = home.appending("staging")
    var found: [FilePath] = []
    for entry in try HostFiles.entries(staging) ?? [] where entry.kind == .directory {
      let path = staging.appending(entry.name)
      guard let status = try HostFiles.status(path, followingLinks: false),
        status.changeTime.seconds < FileTime.now().seconds - 60
      else { continue }
      do throws(StorageError) {
        let lock = try StoreFile.open(path.appending("staging.lock"), .readWrite)
        let isFree = try attempt("lock", path) { () throws(Errno) in try Syscall.setlk(lock.rawValue, .write) }
        if isFree { found.append(path) }
      } catch {
        guard error.errno == .noSuchFileOrDirectory else { throw error }
        found.append(path)
      }
    }
    return found
  }

  /// Whether a file was to replace one of these and was not finished; see `AtomicFile.replace(_:isFlushed:)`.
  private static func isTemporary(_ name: String, of files: [String]) -> Bool {
    files.contains { file in
      let number = name.dropFirst(file.utf8.count + 5)
      return name.hasPrefix(file + ".tmp-") && !number.isEmpty && number.allSatisfy { $0.isASCII && $0.isNumber }
    }
  }
}
