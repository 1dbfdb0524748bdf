// SPDX-License-Identifier: Apache-2.0

import StowageDriverAPI
import StowageFiles
import StowageModel
import StowageMounts
import StowageSystem
import SystemPackage

extension OverlayProbes {
  /// Whether an overlay may have lower directories with mapped IDs. Recorded either way.
  func idmappedLowers() -> Bool {
    if let known = cache.lookup("idmapped-lower-dir") { return known.isSupported }
    do throws(StorageError) {
      let reason = try withScratch { (scratch) throws(StorageError) in try tryIDMapped(scratch) }
      cache.record("idmapped-lower-dir", reason == nil, reason ?? "")
      return reason == nil
    } catch {
      Log.debug("overlay: cannot probe idmapped lower directories: \(error)")
      return false
    }
  }

  /// The reason why there are no idmapped lower directories, or `nil`.
  private func tryIDMapped(_ scratch: Scratch) throws(StorageError) -> String? {
    try scratch.makeDirectories(["lower", "lower-mapped", "upper", "work", "merged"])
    let mapped = scratch.path("lower-mapped")
    do throws(Errno) {
      let one = [IDMapping(containerID: 0, hostID: 0, size: 1)]
      let namespace = try Syscall.userNamespace(IDMaps(uids: one, gids: one))
      let lower = try Syscall.idMappedCopy(of: scratch.path("lower"), namespace.rawValue)
      try Syscall.moveMount(lower.rawValue, to: mapped)
    } catch {
      return error.referenceText
    }
    // The scratch directory's removal ends what is still mounted.
    defer { try? MountExecutor.unmount(mapped) }
    do throws(Errno) {
      try scratch.mount(lowers: ["lower-mapped"], upper: "upper", words: [])
      return nil
    } catch {
      return error.referenceText
    }
  }
}
