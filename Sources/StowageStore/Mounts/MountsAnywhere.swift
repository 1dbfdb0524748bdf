// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// The mounts of all mount namespaces that have a process. What cannot be looked at may have any mount.
enum MountsAnywhere {
  /// The kernel's own number of the first namespace of processes: in any other one those outside cannot be seen.
  private static let allProcesses = "pid:[4026531836]"

  /// Whether something may be mounted at a path, or an overlay may have a layer as its upper directory, as it has in a container
  /// that runs.
  static func mayContain(_ path: String, layer: LayerID) -> Bool {
    // Whoever does not know all processes cannot say that a mount is nowhere.
    guard let space = try? Syscall.readlink("/proc/self/ns/pid"), space.elementsEqual(allProcesses.utf8),
      let processes = try? Syscall.directoryNames("/proc")
    else { return true }
    let point = Array(" \(path) ".utf8)
    let upper = (Array("upperdir=".utf8), Array("\(layer)/diff".utf8))
    var seen: Set<[UInt8]> = []
    for name in processes where name.allSatisfy({ (0x30...0x39).contains($0) }) {
      let process = FilePath("/proc").appending(String(decoding: name, as: UTF8.self))
      do throws(Errno) {
        // The number of a namespace only saves looking at it again: it is kept from root for some processes whose mounts are not.
        if let space = try? Syscall.readlink(process.appending("ns/mnt")), !seen.insert(space).inserted { continue }
        for line in try Syscall.readFile(process.appending("mountinfo")).split(separator: 0x0a)
        where line.contains(point) || line.contains(upper.0) && line.contains(upper.1) { return true }
      } catch {
        if hasEnded(error) { continue }
        return true
      }
    }
    return false
  }

  /// Processes end while they are looked at; one that was not waited for yet has no mounts, and says `EINVAL` or nothing.
  private static func hasEnded(_ error: Errno) -> Bool {
    [.noSuchFileOrDirectory, .noSuchProcess, .invalidArgument].contains(error)
  }
}
