// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageImage
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Finds the records of containers in what is on disk: in the configuration that Podman and CRI-O write for the runtime,
/// `userdata/config.json`, which has the path of the container's tree.
struct ContainerRestoration {
  private let topology: StoreTopology
  private let layers: [LayerID: LayerRecord]
  private let images: [ImageRecord]

  init(_ topology: StoreTopology, _ layers: [LayerRecord], _ images: [ImageRecord]) {
    self.topology = topology
    self.layers = Dictionary(layers.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    self.images = images
  }

  /// Adds the records that the file of stable containers lost. Of volatile ones nothing tells them from others.
  func restore(
    _ loss: RecordLoss, _ document: inout RecordDocument<ContainerRecord>, _ result: inout RestoredRecords
  ) throws(StorageError) {
    let path = FilePath(loss.path)
    guard path == topology.containers.place.records else { return }
    var known = Set(document.records.map(\.id))
    var used = Set(document.records.map(\.layer))
    for place in topology.volatileContainers {
      let records = try RecordDocument<ContainerRecord>.readable(at: place).records
      known.formUnion(records.map(\.id))
      used.formUnion(records.map(\.layer))
    }
    let directory = topology.containers.directory
    for name in try directoryNames(directory) where looksLikeIdentifier(name) {
      guard let id = ContainerID(recorded: name), !known.contains(id) else { continue }
      do throws(StorageError) {
        let record = try record(id, in: directory)
        guard used.insert(record.layer).inserted else {
          throw StorageError(.corrupt, "its layer \(record.layer) is another container's")
        }
        document.append(record)
      } catch {
        result.unproven.append("container \(id): \(error)")
      }
    }
  }

  private func record(_ id: ContainerID, in directory: FilePath) throws(StorageError) -> ContainerRecord {
    let own = BigDataFiles.directory(of: id.rawValue, in: directory)
    let file = RuntimeConfig.file(ofContainer: id.rawValue, in: directory)
    let config = try RuntimeConfig(in: file)
    guard let layer = config.layer(among: layers) else {
      throw StorageError(.corrupt, "\(file) has the tree \(goQuoted(config.root)), which is no layer's of a container")
    }
    if config.mapsIdentifiers {
      throw StorageError(
        .notSupported, "\(file) maps identifiers, and nothing tells how those of layer \(layer.id) are kept")
    }
    var record = ContainerRecord(id: id, layer: layer.id, created: layer.created)
    let candidates = images.filter { $0.layer == layer.parent }
    if candidates.count == 1 { record.image = candidates.first?.id }
    for name in try directoryNames(own) where name != BigDataFiles.callersDirectory.string {
      guard let key = bigDataKey(ofFile: name) else { continue }
      let (size, digest) = try fileDigest(own.appending(FilePath(name).components))
      record.enter(key, size: size, digest: digest)
    }
    // Podman and CRI-O cannot read other metadata than an object.
    record.metadata = "{}"
    record.flags["MountLabel"] = .string(config.mountLabel)
    record.flags["ProcessLabel"] = .string(config.processLabel)
    return record
  }
}
