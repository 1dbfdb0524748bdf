// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import StowageMounts
internal import SystemPackage

extension Store {
  /// What ``createContainer(_:)`` would do now.
  func planContainer(_ request: ContainerCreation) throws(StorageError) -> ContainerPlan {
    var (request, maps) = (request, try containerMaps(request))
    if let automatic = request.automaticUserNamespace {
      // Nothing is reserved: the container may get others.
      maps = IDMapRequest(maps: try automaticMaps(automatic, image: &request.image))
    }
    let flags = try containerFlags(request)
    return try withLayers { (layers) throws(StorageError) -> ContainerPlan in
      let image =
        request.image.isEmpty ? nil : try withImages { (view) throws(StorageError) in try view.require(request.image) }
      let id = try containerStore.withReading { (containers) throws(StorageError) in try newID(request, containers) }
      let top: FoundLayer?
      var copy: MappedCopy?
      switch try image.map({ (image) throws(StorageError) in try topLayer(of: image, maps, layers) }) {
      case .needsCopy(let needed):
        copy = needed
        top = needed.new.basis
      case .ready(let layer): top = layer
      case nil: top = nil
      }
      let new = try containerLayer(request, image, maps, id, top, flags, layers)
      let record = self.record(id, new, request, image?.record.id, maps, flags)
      return ContainerPlan(
        id: (request.id ?? "").isEmpty ? nil : id, names: record.names, image: image?.record.id, layer: top?.id,
        needsMappedCopy: copy != nil, steps: steps(new, copy, top, layers.driver),
        mount: try mount(of: record, new, isOnCopy: copy != nil, layers))
    }
  }

  private func steps(
    _ new: NewLayer, _ copy: MappedCopy?, _ top: FoundLayer?, _ driver: any GraphDriver
  ) -> [String] {
    guard let top else { return ["make an empty layer"] }
    // On a copy with the right owners only a driver that always copies has to copy once more.
    let begins = (copy == nil ? new.source != nil : driver.traits.copiesParent) ? "that begins as a copy of" : "on"
    guard let copy else { return ["make a layer \(begins) layer \(top.id)"] }
    return [
      "copy layer \(top.id) with the owners of the ID maps, and list the copy with image \(copy.image.record.id)",
      "make a layer \(begins) that copy",
    ]
  }

  private func mount(
    of container: ContainerRecord, _ new: NewLayer, isOnCopy: Bool, _ layers: borrowing LayersReading
  ) throws(StorageError) -> ContainerPlan.Mount? {
    let driver = layers.driver
    // What the kernel is told to put together depends on the copies.
    if driver.traits.hasKernelMounts, isOnCopy || new.source != nil { return nil }
    var options = try mountOptions(of: container, FoundLayer(record: new.record, location: new.location), driver)
    options.isForNewLayer = true
    let plan = try driver.mountPlan(for: new.location, over: new.chain, options)
    let id = new.record.id.rawValue
    return ContainerPlan.Mount(
      path: plan.mountPoint.lexicallyNormalized().string.replacing(id, with: ContainerPlan.newLayer),
      steps: plan.steps.map { $0.description.replacing(id, with: ContainerPlan.newLayer) })
  }
}
