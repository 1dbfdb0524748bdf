// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// What a repair did.
public struct RepairReport: Sendable {
  /// What could not be deleted, in order.
  public internal(set) var failures: [StorageError] = []
  /// What belonged to nothing and was deleted.
  public internal(set) var leftovers = LeftoverReport()
  /// Numbers of damaged objects that are still there although nothing failed: repair does not delete them.
  public internal(set) var remaining = RemainingDamage()
}

/// Numbers of damaged objects that repair leaves.
public struct RemainingDamage: Hashable, Sendable {
  /// Layers that may be healthy.
  public internal(set) var layers = 0
  /// Layers of additional stores.
  public internal(set) var readOnlyLayers = 0
  /// Images that may be healthy.
  public internal(set) var images = 0
  /// Images of additional stores.
  public internal(set) var readOnlyImages = 0
  /// Containers, which are deleted only if that is wanted.
  public internal(set) var containers = 0

  /// Whether nothing remains.
  public var isEmpty: Bool { self == RemainingDamage() }
}

extension Store {
  /// Deletes what a check found to be damaged: containers, if wanted, then images, then layers, topmost first; restores
  /// what the driver can; and deletes what belongs to nothing (store-semantics 22.4).
  ///
  /// Each deletion makes sure, under the locks, that the object is the one that was checked, that nothing that is healthy
  /// needs it, and that it is not mounted. Objects that are only suspect, and all of additional stores, stay.
  ///
  /// - Parameter isCancelled: is asked between deletions; each of them is whole.
  /// - Throws: `cancelled`; what reading the records throws; everything else is among the report's failures.
  public func repair(
    _ report: CheckReport, removesContainers: Bool, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(StorageError) -> RepairReport {
    var repair = StoreRepair(
      store: self, report, removesContainers: removesContainers, CancellationFlag(asking: isCancelled))
    return try repair.run()
  }
}

/// A repair of a whole store.
struct StoreRepair {
  private let store: Store
  private let report: CheckReport
  private let removesContainers: Bool
  private let cancellation: CancellationFlag
  private var done = RepairReport()
  /// Layers that went with their images.
  private var deleted: Set<String> = []

  init(store: Store, _ report: CheckReport, removesContainers: Bool, _ cancellation: CancellationFlag) {
    self.store = store
    self.report = report
    self.removesContainers = removesContainers
    self.cancellation = cancellation
  }

  /// Repairs what can be repaired.
  mutating func run() throws(StorageError) -> RepairReport {
    if removesContainers { try deleteContainers() }
    try deleteImages()
    try deleteLayers()
    try restoreTarSplits()
    let report = report
    let store = store
    attempt("restoring links", gone: []) { () throws(StorageError) in try StoreRepair.restoreLinks(report, store) }
    do throws(StorageError) { done.leftovers = try store.collectLeftovers() } catch {
      done.failures.append(error.wrapped("deleting leftovers"))
    }
    for text in done.leftovers.undeletable {
      done.failures.append(StorageError(.system, "deleting leftovers: \(text)"))
    }
    for leftover in done.leftovers.leftovers where leftover.kind == .layer && !leftover.isFreed {
      done.failures.append(StorageError(.system, "deleting storage layer \(leftover.path): not all could be deleted"))
    }
    done.remaining = RemainingDamage(
      layers: report.layers.count { $0.isSuspect }, readOnlyLayers: report.readOnlyLayers.count,
      images: report.images.count { $0.isSuspect }, readOnlyImages: report.readOnlyImages.count,
      containers: report.containers.count { $0.isSuspect || $0.isDamaged && !removesContainers })
    return done
  }

  private mutating func deleteContainers() throws(StorageError) {
    let (store, evidence) = (store, report.evidence)
    for item in report.containers where item.isDamaged {
      try cancellation.check()
      attempt("deleting container \(item.id)", gone: [.notAContainer, .containerUnknown]) { () throws(StorageError) in
        try ContainerDeletion(store: store, container: item.id, unmounts: false).run {
          (container, layers) throws(StorageError) in
          guard evidence.containers[container.id] == container else { throw changed(item.id) }
          try layers.refuseMounted([container.layer])
        }
      }
    }
  }

  private mutating func deleteImages() throws(StorageError) {
    let (store, evidence) = (store, report.evidence)
    for item in report.images where item.isDamaged {
      try cancellation.check()
      var layers: [LayerID] = []
      attempt("deleting image \(item.id)", gone: [.notAnImage, .imageUnknown, .layerUnknown]) {
        () throws(StorageError) in
        layers = try ImageDeletion(store: store, image: item.id, commit: true, force: false).run {
          (plan, layers) throws(StorageError) in
          try evidence.confirm(image: item.id, plan.0, layers)
          try layers.refuseMounted(plan.1)
        }
      }
      deleted.formUnion(layers.map(\.rawValue))
    }
  }

  private mutating func deleteLayers() throws(StorageError) {
    let (store, evidence) = (store, report.evidence)
    for item in try topmostFirst(report.layers) where item.isDamaged {
      try cancellation.check()
      if deleted.contains(item.id) || evidence.unaccounted.contains(item.id) { continue }
      attempt("deleting layer \(item.id)", gone: [.notALayer, .layerUnknown]) { () throws(StorageError) in
        try LayerDeletion(store: store, layer: item.id, force: false).run { (layer, layers) throws(StorageError) in
          guard evidence.layers[layer.id] == LayerState(of: layer, layers) else { throw changed(item.id) }
          try layers.refuseMounted([layer.id])
        }
      }
    }
  }

  /// Makes damaged tar-split files again of trees that still give the archives which are recorded.
  private mutating func restoreTarSplits() throws(StorageError) {
    let store = store
    for item in report.layers where !item.isDamaged && item.findings.contains(where: { $0.remedy == .restoration }) {
      guard let id = LayerID(recorded: item.id) else { continue }
      try cancellation.check()
      attempt("making the tar-split file of layer \(id) again", gone: [.layerUnknown]) { () throws(StorageError) in
        try store.layers.healTarSplit(of: id)
      }
    }
  }

  private mutating func attempt(
    _ title: String, gone: [StorageError.Code], _ body: () throws(StorageError) -> Void
  ) {
    do throws(StorageError) { try body() } catch {
      if gone.contains(error.code) { return }
      done.failures.append(error.wrapped(title))
    }
  }

  /// Layers with the longest chains first, so that children go before their parents.
  private func topmostFirst(_ items: [CheckReport.Item]) throws(StorageError) -> [CheckReport.Item] {
    let depths = try store.read([.layers]) { (access) throws(StorageError) -> [String: Int] in
      let layers = access.layers
      var depths: [String: Int] = [:]
      for item in items {
        guard let id = LayerID(recorded: item.id), let layer = layers.primary(id) else { continue }
        // One whose ancestors cannot be told goes last.
        depths[item.id] = (try? layers.ancestors(of: layer).count) ?? 0
      }
      return depths
    }
    return items.sorted { (depths[$0.id] ?? -1, $1.id) > (depths[$1.id] ?? -1, $0.id) }
  }

  /// Restores links and lists of parents, for layers that are not mounted.
  private static func restoreLinks(_ report: CheckReport, _ store: Store) throws(StorageError) {
    guard report.layers.contains(where: { $0.findings.contains { $0.remedy == .restoration } }) else { return }
    try store.free([.layers]) { (access) throws(StorageError) in
      try access.layers.repairLinks()
    }
  }
}

/// The object is not any more what was checked, so it stays.
private func changed(_ id: String) -> StorageError {
  StorageError(.busy, "changed since it was checked", subject: id)
}

extension CheckReport.Item {
  /// Whether repair is to delete it.
  var isDamaged: Bool { findings.contains { $0.remedy == .deletion } }
  /// Whether something is wrong that repair neither deletes nor restores.
  var isSuspect: Bool { !isDamaged && findings.contains { $0.remedy == .none } }
}

extension CheckEvidence {
  /// Makes sure that an image and its damaged layers are those that were checked.
  func confirm(image text: String, _ view: ImagesView, _ layers: borrowing LayersReading) throws(StorageError) {
    guard let id = ImageID(recorded: text), let known = images[id], view.tables.contains(where: { $0[id] == known })
    else { throw changed(text) }
    for layer in layersBelow[id] ?? [] {
      guard let state = self.layers[layer] else { continue }
      guard let now = layers.find(layer), LayerState(of: now, layers) == state else { throw changed(text) }
    }
  }
}

extension LayersReading {
  /// Refuses to go on if one of the layers is mounted.
  func refuseMounted(_ ids: [LayerID]) throws(StorageError) {
    let mounts = mounts
    for id in ids {
      guard let mount = mounts[id], !driver.traits.hasKernelMounts || MountTable.isMountPoint(FilePath(mount.path))
      else { continue }
      throw StorageError(.layerUsedByContainer, subject: id.rawValue).wrapped("layer \(id) is mounted")
    }
  }
}
