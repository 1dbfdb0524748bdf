// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
import StowageFiles
package import StowageModel
import StowageSystem
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
    guard let layer = try first(.composefs, of: chain) else { return }
    throw StorageError(
      .notSupported,
      "overlay: layer \(layer.id) is a composefs layer, which this version cannot mount, so it makes no layer on it: "
        + "use the program that pulled the image, or pull it again without use_composefs",
      subject: layer.id.rawValue, path: directory(of: layer).string)
  }
}
