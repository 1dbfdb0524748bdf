// SPDX-License-Identifier: Apache-2.0

internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// A layer as it was when the locks were held, with all that its check needs while they are not.
struct LayerSubject: Sendable {
  let layer: FoundLayer
  /// The layer that it is built on, if all of its ancestors are recorded.
  let parent: FoundLayer?
  /// How many ancestors it has; `nil` if one is recorded nowhere.
  let depth: Int?
  /// The direct parent, if it is recorded nowhere.
  let missingParent: LayerID?
  /// Whether a tree of that parent in another program's form is there: then only its record is missing.
  let keepsMissingParent: Bool
  /// Tells whether the layer was changed meanwhile.
  let state: LayerState
  /// Big data items: keys and files, `nil` if there is none.
  let items: [(key: String, file: FilePath?)]
  let tarSplit: FilePath?
  /// Where the files of its archive are, but for what only lower layers have; why that cannot be told.
  let contentRoots: Result<[FilePath], StorageError>
  /// In what form another program has made the layer, and what is below it; why that cannot be told.
  let forms: Result<(own: ForeignForm?, below: Set<ForeignForm>), StorageError>

  var id: LayerID { layer.id }
  /// Texts begin with this.
  var title: String { (layer.location.isWritable ? "layer " : "read-only layer ") + id.rawValue }

  /// Looks at one layer.
  init(_ layer: FoundLayer, _ layers: borrowing LayersReading) {
    var chains = KnownChains()
    self.init(layer, layers, &chains)
  }

  /// Looks at one layer of many.
  init(_ layer: FoundLayer, _ layers: borrowing LayersReading, _ chains: inout KnownChains) {
    self.layer = layer
    let chain = chains.chain(of: layer, layers)
    depth = chain.depth
    parent = chain.depth == nil ? nil : chain.parent
    missingParent = layer.record.parent.flatMap { parent in
      layers.find(parent, near: layer.location.role) == nil ? parent : nil
    }
    keepsMissingParent = missingParent.map { layers.hasForeignTree($0) } ?? false
    state = LayerState(of: layer, layers)
    items = layer.record.bigDataNames.map { ($0, layers.bigDataFile($0, of: layer)) }
    tarSplit = layers.tarSplitFile(of: layer)
    do throws(StorageError) {
      contentRoots = .success(try layers.driver.contentRoots(of: layer.location, over: []))
    } catch {
      contentRoots = .failure(error)
    }
    forms = chain.forms
  }

  /// How the tree came to be from the archive, if it was.
  var headerForm: LayerHeaders.Form {
    let record = layer.record
    if record.tocDigest != nil || record.bigDataNames.contains(where: { $0.hasPrefix("zstd-chunked-") }) {
      return .pulledInParts
    }
    let parentMaps = parent?.record.idMaps ?? IDMaps()
    return record.idMaps.isEmpty || record.idMaps == parentMaps ? .extracted : .copiedForMaps
  }
}

extension LayersReading {
  /// Whether one of the places has a tree of that name in another program's form, recorded or not: programs use such without a
  /// record (graph-drivers 13.4). What cannot be looked at is taken for one.
  func hasForeignTree(_ id: LayerID) -> Bool {
    store.topology.layerHomes.contains { home in
      let place = LayerLocation(id: id, role: home.role, root: home.root)
      do throws(StorageError) { return try driver.foreignForm(of: place) != nil } catch { return true }
    }
  }

  /// All layers, each once: an identifier that an earlier store has is passed over. Parents come before their children. What
  /// only stays for mounts that go on is no layer.
  func subjects() -> [LayerSubject] {
    var seen: Set<LayerID> = []
    var subjects: [LayerSubject] = []
    var chains = KnownChains()
    for id in ask({ $0.records.map(\.id) }) {
      guard let layer = primary(id), !layer.record.isDoomed, seen.insert(id).inserted,
        layer.record.tie?.kind != .mounts
      else { continue }
      subjects.append(LayerSubject(layer, self, &chains))
    }
    for (index, table) in additional.enumerated() {
      for record in table.records where !seen.contains(record.id) {
        guard let layer = find(record.id, near: .additionalImageStore(index)) else { continue }
        seen.insert(record.id)
        subjects.append(LayerSubject(layer, self, &chains))
      }
    }
    return subjects.sorted { ($0.depth ?? 0) < ($1.depth ?? 0) }
  }

  /// Whether a layer is what it was.
  func isUnchanged(_ subject: LayerSubject) -> Bool { current(subject)?.state == subject.state }

  /// The layer as it is now; `nil` if it is gone.
  func current(_ subject: LayerSubject) -> LayerSubject? {
    guard let layer = find(subject.id, near: subject.layer.location.role),
      layer.location == subject.layer.location, !layer.record.isDoomed
    else { return nil }
    // One that is the same is not looked at again, which would follow its chain.
    return LayerState(of: layer, self) == subject.state ? subject : LayerSubject(layer, self)
  }
}
