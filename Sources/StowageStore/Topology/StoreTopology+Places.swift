// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import SystemPackage

extension StoreTopology {
  static func layerPlaces(_ roots: StoreRoots, _ driver: String, _ isTransient: Bool) -> LayerPlaces {
    let data = LayerDirectory(roots.graphRoot, driver: driver)
    let run = LayerDirectory(roots.runRoot, driver: driver)
    var documents = [LayerDocument(path: data.records, role: .graphRoot, root: roots.graphRoot, isVolatile: false)]
    var search = [data]
    if let root = roots.imageStore {
      let shared = LayerDirectory(root, driver: driver)
      search.append(shared)
      documents.append(LayerDocument(path: shared.records, role: .imageStore, root: root, isVolatile: false))
    }
    documents.append(
      LayerDocument(
        path: (isTransient ? run : data).volatileRecords, role: .graphRoot, root: roots.graphRoot, isVolatile: true))
    return LayerPlaces(documents: documents, data: data, dataSearch: search, run: run)
  }

  static func imagePlaces(_ root: FilePath, _ driver: String, isWritable: Bool) -> ImagePlaces {
    let (place, layers) = (ImageDirectory(root, driver: driver), LayerDirectory(root, driver: driver))
    return ImagePlaces(
      place: place, bin: canRename(place.path, layers.path) ? layers.temporary : place.temporary, isWritable: isWritable
    )
  }

  static func additionalLayerPlaces(_ root: FilePath, _ index: Int, _ driver: String) -> AdditionalLayerPlaces {
    let data = LayerDirectory(root, driver: driver)
    let role = LayerLocation.Role.additionalImageStore(index)
    return AdditionalLayerPlaces(
      documents: [
        LayerDocument(path: data.records, role: role, root: root, isVolatile: false),
        LayerDocument(path: data.volatileRecords, role: role, root: root, isVolatile: true),
      ], data: data)
  }

  static func containerPlaces(_ roots: StoreRoots, _ driver: String, _ isTransient: Bool) -> ContainerPlaces {
    let directory = ContainerDirectory(roots.graphRoot, driver: driver)
    let run = ContainerDirectory(roots.runRoot, driver: driver)
    let shifting = isTransient ? run : directory
    let layers = LayerDirectory(roots.graphRoot, driver: driver)
    return ContainerPlaces(
      place: directory, bin: canRename(directory.path, layers.path) ? layers.temporary : directory.temporary,
      runPlace: run, documents: [directory.records, shifting.volatileRecords],
      locks: [shifting.lock])
  }
}
