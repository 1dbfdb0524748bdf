// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Finds the records of layers in what is on disk.
struct LayerRestoration {
  private let topology: StoreTopology
  private let driver: any GraphDriver
  private let images: DiskImages
  private let cancellation: CancellationFlag
  /// Records that were made, by the file that lost them.
  private var made: [FilePath: [LayerRecord]] = [:]

  init(
    _ topology: StoreTopology, _ driver: any GraphDriver, _ images: DiskImages, _ cancellation: CancellationFlag
  ) {
    self.topology = topology
    self.driver = driver
    self.images = images
    self.cancellation = cancellation
  }

  /// All records there are now: those of whole files, those that damaged ones still have, and those that were made.
  func all() throws(StorageError) -> [LayerRecord] {
    var records: [LayerRecord] = []
    for file in topology.layers.documents {
      records += try RecordDocument<LayerRecord>.readable(at: file.path).records + (made[file.path] ?? [])
    }
    return records
  }

  /// Adds the records that a file of stable layers lost. Of volatile ones nothing tells them from others.
  mutating func restore(
    _ loss: RecordLoss, _ document: inout RecordDocument<LayerRecord>, _ result: inout RestoredRecords
  ) throws(StorageError) {
    let path = FilePath(loss.path)
    guard let file = topology.layers.documents.first(where: { $0.path == path }), !file.isVolatile else { return }
    var known = Set(try all().map(\.id))
    // Of a transient store, too, which records its layers elsewhere.
    for place in topology.volatileLayers {
      known.formUnion(try RecordDocument<LayerRecord>.readable(at: place).records.map(\.id))
    }
    var found: [DiskLayer] = []
    for name in try driver.listLayers(in: file.root) {
      guard let id = LayerID(recorded: name), !known.contains(id) else { continue }
      try cancellation.check()
      let location = LayerLocation(id: id, role: file.role, root: file.root)
      do throws(StorageError) {
        found.append(try DiskLayer(location, driver, dataDirectories(of: file)))
      } catch {
        result.unproven.append("layer \(id): \(error)")
      }
    }
    let present = try all()
    var completed = present + found.map(\.record)
    LayerChains(completed, try images.proven()).complete(&completed, findsParents: driver.linkKeeping == nil)
    var records = Array(completed[present.count...])
    if driver.linkKeeping == nil { try findParentsOfContainers(&records) }
    for record in records where record.diffDigest == nil {
      result.unproven.append("layer \(record.id): nothing shows its digest; it may be a container's")
    }
    // Parents come before their children, as in files that were never lost.
    let depths = depths(records)
    records.sort { (depths[$0.id] ?? 0, $0.id) < (depths[$1.id] ?? 0, $1.id) }
    for record in records { document.append(record) }
    made[path] = records
  }

  /// A container's layer is over the layer of the container's image, if both are still recorded.
  private func findParentsOfContainers(_ records: inout [LayerRecord]) throws(StorageError) {
    var tops: [ImageID: LayerID] = [:]
    for place in topology.images where place.isWritable {
      for image in try RecordDocument<ImageRecord>.readable(at: place.place.records).records {
        tops[image.id] = image.layer
      }
    }
    var parents: [LayerID: LayerID] = [:]
    for container in try RecordDocument<ContainerRecord>.readable(at: topology.containers.place.records).records {
      if let image = container.image { parents[container.layer] = tops[image] }
    }
    for index in records.indices where records[index].parent == nil && records[index].diffDigest == nil {
      records[index].parent = parents[records[index].id]
    }
  }

  private func dataDirectories(of file: StoreTopology.LayerDocument) -> [LayerDirectory] {
    let own = LayerDirectory(file.root, driver: topology.driverName)
    return [own] + topology.layers.dataSearch.filter { $0 != own }
  }

  private func depths(_ records: [LayerRecord]) -> [LayerID: Int] {
    let parents = Dictionary(records.map { ($0.id, $0.parent) }, uniquingKeysWith: { first, _ in first })
    var depths: [LayerID: Int] = [:]
    for record in records {
      var (count, next) = (0, record.parent)
      while let id = next, count <= records.count {
        count += 1
        next = parents[id] ?? nil
      }
      depths[record.id] = count
    }
    return depths
  }
}
