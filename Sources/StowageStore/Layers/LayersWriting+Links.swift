// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords

// What the driver keeps beside the records for programs that read only that (changes-1.64 6.3).
extension LayersWriting {
  /// Restores what is missing or wrong in the stores that may be written, for layers that are not mounted: for all, or for one
  /// and those that are built on it.
  func repairLinks(of wanted: LayerID? = nil) throws(StorageError) {
    guard let links = driver.linkKeeping else { return }
    let chains = reading.writableChains().filter { chain in
      wanted == nil || chain.layer.id == wanted || chain.parents.contains { $0.id == wanted }
    }
    let mounted = Set(reading.mounts.layers)
    for home in store.topology.layerHomes { try links.repairLinks(chains, in: home.root, mounted: mounted) }
  }

  /// The same after layers have gone, of which the image store or the graph root may have another copy: lists must lead there.
  /// A failure is only told.
  func followMove(of layer: LayerID? = nil) {
    if store.topology.roots.imageStore == nil { return }
    do throws(StorageError) { try repairLinks(of: layer) } catch {
      Log.warning("cannot restore links of layers: \(error)")
    }
  }

  /// The same if older programs could not mount this layer. A failure is only told, as nothing of ours needs the links.
  func restoreLinks(of chain: LayerChain) {
    do throws(StorageError) {
      if try driver.linkKeeping?.lacksLinks(chain) == true { try repairLinks() }
    } catch {
      Log.warning("cannot restore links of layers: \(error)")
    }
  }
}
