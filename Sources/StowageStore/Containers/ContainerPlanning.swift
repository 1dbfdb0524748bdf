// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import StowageMounts
internal import StowageRecords
internal import SystemPackage

/// Finds out what ``ContainerMaking`` would do now. Changes nothing, and reserves no IDs: the container may get others.
struct ContainerPlanning {
  private let store: Store
  private let draft: ContainerDraft

  /// - Throws: as ``ContainerDraft/init(_:in:)`` and ``ContainerDraft/chooseMaps()``.
  init(store: Store, _ request: ContainerCreation) throws(StorageError) {
    self.store = store
    var draft = try ContainerDraft(request, in: store)
    try draft.chooseMaps()
    self.draft = draft
  }

  /// Plans.
  ///
  /// - Throws: as ``ContainerMaking/run()``.
  func run() throws(StorageError) -> ContainerPlan {
    try store.read([.layers, .images, .containers]) { (access) throws(StorageError) -> ContainerPlan in
      let layers = access.layers
      let name = draft.request.image
      let image = name.isEmpty ? nil : try access.images.require(name)
      let id = try draft.newID(access.containers)
      var top: FoundLayer?
      var copy: MappedCopy?
      if let image {
        switch try TopLayerChoice(store: store, image: image, maps: draft.maps).run(layers) {
        case .needsCopy(let needed):
          copy = needed
          top = needed.new.basis
        case .ready(let layer): top = layer
        }
      }
      let new = try draft.layer(of: id, over: top, layers)
      let record = draft.record(id, new, image: image?.record.id)
      return ContainerPlan(
        id: (draft.request.id ?? "").isEmpty ? nil : id, names: record.names, image: image?.record.id, layer: top?.id,
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
    let layer = FoundLayer(record: new.record, location: new.location)
    var options = try MountOptions(of: container, layer, store.options, driver)
    options.isForNewLayer = true
    options.mappedLayers = layers.mappedLayers(layer, try layers.ancestors(of: layer))
    let plan = try driver.mountPlan(for: new.location, over: new.chain, options)
    let id = new.record.id.rawValue
    return ContainerPlan.Mount(
      path: plan.mountPoint.lexicallyNormalized().string.replacing(id, with: ContainerPlan.newLayer),
      steps: plan.steps.map { $0.description.replacing(id, with: ContainerPlan.newLayer) })
  }
}
