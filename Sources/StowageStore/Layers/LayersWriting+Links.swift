// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel

// What the driver keeps beside the records for programs that read only that (changes-1.64 6.3).
extension LayersWriting {
  /// Restores what is missing or wrong in the stores that may be written, for layers that are not mounted.
  func repairLinks() throws(StorageError) {
    var chains: [LayerChain] = []
    for id in store.ask(reading, { $0.records.map(\.id) }) {
      guard let layer = reading.primary(id), let parents = try? reading.chain(of: layer) else { continue }
      chains.append(LayerChain(layer: layer.location, parents: parents))
    }
    let mounted = Set(store.mounts(reading).layers)
    for home in store.topology.layerHomes { try driver.repairLinks(chains, in: home.root, mounted: mounted) }
  }

  /// The same if one of these layers lacks a link: older programs could not mount what is above it. A failure is only told,
  /// as nothing of ours needs the links.
  func restoreLinks(of layers: [LayerLocation]) {
    do throws(StorageError) {
      if try driver.lacksLinks(layers) { try repairLinks() }
    } catch {
      Log.warning("cannot restore links of layers: \(error)")
    }
  }
}
