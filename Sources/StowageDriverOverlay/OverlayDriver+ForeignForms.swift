// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
import StowageFiles
package import StowageModel
import StowageSystem
import Synchronization
import SystemPackage

extension OverlayDriver {
  /// `composefs-data` makes a composefs layer whatever the configuration says; a link in the place of `diff` leads into an additional
  /// layer store.
  package func foreignForm(of layer: LayerLocation) throws(StorageError) -> ForeignForm? {
    let files = files(of: layer)
    if try HostFiles.exists(files.composefsData) { return .composefs }
    let content = try HostFiles.status(files.diff, followingLinks: false)
    return content?.kind == .symbolicLink ? .additionalLayer : nil
  }

  /// Refuses to show a composefs layer.
  func refuseComposefs(_ files: OverlayLayer) throws(StorageError) {
    if try HostFiles.exists(files.composefsData) {
      throw StorageError(
        .notSupported, "overlay: layer \(files.id) is a composefs layer, which this version cannot mount",
        subject: files.id, path: files.path.string)
    }
  }

  /// Refuses to make a layer that could not be mounted, before anything of it is made.
  func refuseComposefs(below chain: [LayerLocation]) throws(StorageError) {
    let unknown = plainLayers.unknown(of: chain)
    guard let layer = try first(.composefs, of: unknown) else { return plainLayers.add(unknown) }
    throw StorageError(
      .notSupported,
      "overlay: layer \(layer.id) is a composefs layer, which this version cannot mount, so it makes no layer on it: "
        + "use the program that pulled the image, or pull it again without use_composefs",
      subject: layer.id.rawValue, path: directory(of: layer).string)
  }
}

/// Layers that this process has found not to be composefs layers, with all that is below them: for each new layer of a deep image
/// all would be looked at again. One that another program replaces meanwhile is still refused when it is mounted.
final class PlainLayers: Sendable {
  private let known = Mutex<Set<LayerLocation>>([])

  /// Those of a chain, nearest first, that were not looked at.
  func unknown(of chain: [LayerLocation]) -> [LayerLocation] {
    known.withLock { known in Array(chain.prefix { !known.contains($0) }) }
  }

  /// Enters layers that were looked at.
  func add(_ layers: [LayerLocation]) { known.withLock { $0.formUnion(layers) } }
}
