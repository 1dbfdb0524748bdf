// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import StowageRecords
internal import SystemPackage

/// What the record files of a graph root say, read without its locks: each file is old or new.
struct RootRecords {
  /// All its layers.
  private(set) var recorded: Set<LayerID> = []
  /// Its layers over layers that it does not have, or not whole.
  private(set) var dependents: [Dependent] = []
  /// Its containers; as many as can be read.
  private(set) var containers: [ContainerRecord] = []
  /// Its own images.
  private(set) var images: Set<ImageID> = []
  /// Whether a container or an image is being made or deleted there.
  private var isAtWork = false
  /// Whether all files could be read.
  private var isComplete = true

  /// Reads the files of both modes, transient and not; `nil` if those of the layers cannot be read.
  init?(_ graph: FilePath, _ run: FilePath, driver: String) {
    var layers: [LayerRecord] = []
    let places = [graph, run].map { root in
      (layers: LayerDirectory(root, driver: driver), containers: ContainerDirectory(root, driver: driver))
    }
    for (index, place) in places.enumerated() {
      // Stable records are in the graph root only.
      for path in (index == 0 ? [place.layers.records] : []) + [place.layers.volatileRecords] {
        guard let found: [LayerRecord] = RootRecords.read(path) else { return nil }
        layers += found
      }
      for path in [place.containers.records, place.containers.volatileRecords] {
        let found: [ContainerRecord]? = RootRecords.read(path)
        containers += found ?? []
        if found == nil { isComplete = false }
      }
    }
    let images: [ImageRecord]? = RootRecords.read(ImageDirectory(graph, driver: driver).records)
    if images == nil { isComplete = false }
    self.images = Set((images ?? []).map(\.id))
    recorded = Set(layers.map(\.id))
    isAtWork = layers.contains(where: \.isTied)
    // Its next opener deletes those that are incomplete: what is built on them needs the layers of that name here.
    let own = Set(layers.lazy.filter { !$0.isDoomed }.map(\.id))
    for layer in layers {
      if let parent = layer.parent, !own.contains(parent) {
        dependents.append(Dependent(child: layer.id, parent: parent))
      }
    }
  }

  /// The containers that name images which the graph root does not record. Their layers may be there all the same.
  var containersOfOtherImages: [(container: ContainerRecord, image: ImageID)] {
    containers.compactMap { container in
      container.image.flatMap { images.contains($0) ? nil : (container, $0) }
    }
  }

  /// Whether a graph root that is opened has anything that is built on, or made of, what is in an image store. In doubt it has.
  static func useImageStore(_ topology: StoreTopology) -> Bool {
    let roots = topology.roots
    guard let records = RootRecords(roots.graphRoot, roots.runRoot, driver: topology.driverName) else { return true }
    return !records.isComplete || records.isAtWork || !records.dependents.isEmpty
      || !records.containersOfOtherImages.isEmpty
  }

  /// Nil if the file is there and cannot be read: callers take that for the worse case.
  private static func read<Record: StoreRecord>(_ path: FilePath) -> [Record]? {
    var file = RecordFile<Record>(path, isFlushed: false)
    return (try? file.load()) == nil ? nil : file.document.records
  }
}
