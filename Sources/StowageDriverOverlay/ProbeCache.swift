// SPDX-License-Identifier: Apache-2.0

import StowageDriverAPI
import StowageFiles
import StowageModel
import StowageSystem
import SystemPackage

/// What was found out about the kernel, kept in files of the run root that the reference reads and writes, too
/// (graph-drivers 4.5): `<feature>-true` or `<feature>-false`, with an explanation as content.
package struct ProbeCache: Sendable {
  /// The driver's directory in the run root.
  let directory: FilePath

  /// The result for a feature, if recorded; `-true` wins.
  func lookup(_ feature: String) -> (isSupported: Bool, text: String)? {
    guard !feature.utf8.contains(0x2F) else { return nil }
    for value in [true, false] {
      if let bytes = (try? HostFiles.read(directory.appending("\(feature)-\(value)"))) ?? nil {
        return (value, String(decoding: bytes, as: UTF8.self).trimmedText)
      }
    }
    return nil
  }

  /// Records a result. Failures only cost another probe and are ignored.
  func record(_ feature: String, _ isSupported: Bool, _ text: String = "") {
    guard !feature.utf8.contains(0x2F) else { return }
    do throws(StorageError) {
      try AtomicFile.replace(
        directory.appending("\(feature)-\(isSupported)"), text: text, mode: 0o666, isFlushed: false)
    } catch {
      Log.debug("overlay: cannot record the probe \(feature): \(error)")
    }
  }
}
