// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// The mounts of all mount namespaces whose processes may be looked at: with the rights of root of all that have a process.
enum MountsAnywhere {
  /// Whether something is mounted at a path, or an overlay has a layer as its upper directory, as it has in a container that runs.
  static func contain(_ path: String, layer: LayerID) -> Bool {
    let point = Array(" \(path) ".utf8)
    let upper = (Array("upperdir=".utf8), Array("\(layer)/diff".utf8))
    var seen: Set<[UInt8]> = []
    for name in (try? Syscall.directoryNames("/proc")) ?? [] where name.allSatisfy({ (0x30...0x39).contains($0) }) {
      let process = FilePath("/proc").appending(String(decoding: name, as: UTF8.self))
      // Processes end while they are looked at, and others may not be.
      guard let space = try? Syscall.readlink(process.appending("ns/mnt")), seen.insert(space).inserted,
        let table = try? Syscall.readFile(process.appending("mountinfo"))
      else { continue }
      for line in table.split(separator: 0x0a)
      where line.contains(point) || line.contains(upper.0) && line.contains(upper.1) { return true }
    }
    return false
  }
}
