// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

extension Store {
  /// Looks for damage in layers, images and containers, and for what belongs to nothing (store-semantics 22). Changes nothing.
  ///
  /// Records are read under the locks, content without: other processes can work meanwhile, and what they change during the
  /// check is not reported.
  ///
  /// - Parameter isCancelled: is asked between layers.
  /// - Throws: `cancelled`; what reading the records throws; damage of content is a finding.
  public func check(
    _ options: CheckOptions = CheckOptions(), isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(StorageError) -> CheckReport {
    try StoreCheck(store: self, options, CancellationFlag(asking: isCancelled)).run()
  }
}

/// A check of a whole store.
struct StoreCheck {
  private let store: Store
  private let options: CheckOptions
  private let cancellation: CancellationFlag

  init(store: Store, _ options: CheckOptions, _ cancellation: CancellationFlag) {
    self.store = store
    self.options = options
    self.cancellation = cancellation
  }

  /// Checks everything.
  func run() throws(StorageError) -> CheckReport {
    let losses = try RecordLosses(store.topology, try store.drivers.current())
    let lost = CheckReport(recordLosses: losses.all + losses.elsewhere)
    if !losses.pending.isEmpty { return lost }
    // Trees are compared by mounting them, which takes directories; a repair that follows may be what frees space.
    if !store.isReadOnly { store.reserve.prepare() }
    defer { if !store.isReadOnly { store.reserve.finish() } }
    let snapshot: CheckSnapshot
    do throws(StorageError) { snapshot = try CheckSnapshot(store) } catch  where error.code == .corrupt {
      if losses.elsewhere.isEmpty { throw error }
      return lost
    }
    var phase = LayerCheck(store, options, losses)
    try phase.run(snapshot.subjects, cancellation)
    var judgement = CheckJudgement(store, snapshot, phase.findings, losses)
    judgement.judgeImages()
    judgement.judgeContainers()
    judgement.judgeUnreferenced(maximumAge: options.maximumAge)
    judgement.judgeLinks(try linkFindings())
    // Objects that vanished or changed during the check are not what was checked.
    judgement.dropChanged(try CheckSnapshot(store))
    // In a store that can only be read nothing can be set aside or deleted, and nobody leaves anything.
    if !store.isReadOnly { judgement.add(try store.findLeftovers()) }
    return judgement.report()
  }

  /// Where what the driver keeps on disk about parents disagrees with the records; only what matters to some version. The list
  /// of a mounted layer has the parents that it was mounted with, and follows when it is unmounted.
  private func linkFindings() throws(StorageError) -> [(LayerID, CheckFinding)] {
    try store.read([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      guard let links = layers.driver.linkKeeping else { return [] }
      let mounted = Set(layers.mounts.layers)
      return links.linkFindings(layers.writableChains()).compactMap { finding in
        guard let layer = finding.layer, finding.kind != .lowerLayersMissing else { return nil }
        if case .linkDangling = finding.kind { return nil }
        if case .parentsDiffer = finding.kind, mounted.contains(layer) { return nil }
        return (layer, CheckFinding(.corrupt, finding.description, .restoration))
      }
    }
  }
}

extension LayersReading {
  /// The chains of all layers that may be written; those with a missing ancestor are left out.
  func writableChains() -> [LayerChain] {
    let ids = ask { $0.records.map(\.id) }
    var known: [LayerLocation: [LayerLocation]] = [:]
    return ids.compactMap { id in
      guard let layer = primary(id) else { return nil }
      let parent = layer.record.parent.flatMap { find($0, near: layer.location.role) }?.location
      // Of a parent whose chain was followed, and so has an end, nothing is followed again.
      let isNew = parent.flatMap { known[$0] } == nil
      guard let parents = isNew ? try? chain(of: layer) : parent.flatMap({ place in known[place].map { [place] + $0 } })
      else { return nil }
      known[layer.location] = parents
      return LayerChain(layer: layer.location, parents: parents)
    }
  }
}
