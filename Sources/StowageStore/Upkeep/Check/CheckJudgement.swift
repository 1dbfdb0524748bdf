// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Puts together what is wrong with what, problems of the foundations included.
struct CheckJudgement {
  private let store: Store
  private let snapshot: CheckSnapshot
  private let losses: RecordLosses
  private var layers: [LayerID: [CheckFinding]]
  private var images: [ImageID: [CheckFinding]] = [:]
  private var containers: [ContainerID: [CheckFinding]] = [:]
  private var leftovers = LeftoverReport()
  private var unaccounted: Set<String> = []
  /// Number of layers that nobody needs, as far as it is known, and that stay all the same.
  private var unreferenced = 0
  private let subjects: [LayerID: LayerSubject]
  private let objects: ObjectCheck

  init(_ store: Store, _ snapshot: CheckSnapshot, _ layers: [LayerID: [CheckFinding]], _ losses: RecordLosses) {
    self.store = store
    self.snapshot = snapshot
    self.losses = losses
    self.layers = layers
    objects = ObjectCheck(store, losses)
    subjects = Dictionary(snapshot.subjects.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
  }

  mutating func judgeImages() {
    for image in snapshot.images {
      let found = objects.check(image) + image.layers.flatMap { layers[$0] ?? [] }
      if !found.isEmpty { images[image.record.id] = found }
    }
  }

  mutating func judgeContainers() {
    let known = Set(snapshot.images.map(\.record.id))
    for container in snapshot.containers {
      var found = objects.check(container, knownImages: known)
      if let image = container.record.image { found += images[image] ?? [] }
      if !found.isEmpty { containers[container.record.id] = found }
    }
  }

  /// Layers that are old and that nobody needs: neither images nor containers, here or in other graph roots, nor a process
  /// that is making one of these. After records of images or containers were lost, such a layer may be one of theirs.
  mutating func judgeUnreferenced(maximumAge: Int64) {
    let limit = Timestamp.now().seconds - maximumAge
    for subject in snapshot.subjects where subject.layer.location.isWritable && !snapshot.needed.contains(subject.id) {
      let created = subject.layer.record.created
      guard created == .unset || created.seconds <= limit else { continue }
      if losses.mayHide(.images) || losses.mayHide(.containers) {
        unreferenced += 1
        continue
      }
      let code = StorageError.Code.layerUnreferenced
      layers[subject.id, default: []].append(CheckFinding(code, "layer \(subject.id): \(code.text)"))
    }
  }

  mutating func judgeLinks(_ findings: [(LayerID, CheckFinding)]) {
    for (layer, finding) in findings where subjects[layer] != nil { layers[layer, default: []].append(finding) }
  }

  /// Forgets findings about objects that are not any more what was checked.
  mutating func dropChanged(_ now: CheckSnapshot) {
    let states = Dictionary(now.subjects.map { ($0.id, $0.state) }, uniquingKeysWith: { first, _ in first })
    layers = layers.filter { id, _ in states[id] != nil && states[id] == subjects[id]?.state }
    let imagesNow = Dictionary(now.images.map { ($0.record.id, $0.record) }, uniquingKeysWith: { first, _ in first })
    let imagesThen = snapshot.images.map(\.record)
    for record in imagesThen where imagesNow[record.id] != record { images[record.id] = nil }
    let containersNow = Set(now.containers.map(\.record))
    for container in snapshot.containers where !containersNow.contains(container.record) {
      containers[container.record.id] = nil
    }
  }

  /// Adds what belongs to nothing: trees as layers that only the driver has, all else apart.
  mutating func add(_ report: LeftoverReport) {
    leftovers = report
    let elsewhere = losses.elsewhere.first { $0.kind == .images }
    if unreferenced > 0, let loss = losses.first(.images, .containers) ?? elsewhere {
      leftovers.kept.append("\(unreferenced) layers that no record names: \(loss.reasonToKeep)")
    }
    leftovers.leftovers.removeAll { $0.kind == .layer }
    for tree in report.leftovers where tree.kind == .layer {
      guard let name = FilePath(tree.path).lastComponent?.string, let id = LayerID(recorded: name) else { continue }
      let code = StorageError.Code.layerUnaccounted
      layers[id, default: []].append(CheckFinding(code, "layer \(name): \(code.text)", .deletion))
      unaccounted.insert(name)
    }
  }

  func report() -> CheckReport {
    var report = CheckReport(recordLosses: losses.all + losses.elsewhere)
    for (id, findings) in layers.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      let item = CheckReport.Item(id: id.rawValue, findings: findings)
      if subjects[id]?.layer.location.isWritable ?? true {
        report.layers.append(item)
      } else {
        report.readOnlyLayers.append(item)
      }
      report.evidence.layers[id] = subjects[id]?.state
    }
    for image in snapshot.images.sorted(by: { $0.record.id.rawValue < $1.record.id.rawValue }) {
      guard let findings = images[image.record.id] else { continue }
      let item = CheckReport.Item(id: image.record.id.rawValue, findings: findings)
      let isWritable = store.imageStores[image.store].isWritable
      if isWritable { report.images.append(item) } else { report.readOnlyImages.append(item) }
      report.evidence.images[image.record.id] = image.record
      report.evidence.layersBelow[image.record.id] = image.layers.filter { layers[$0] != nil }
    }
    for container in snapshot.containers.sorted(by: { $0.record.id.rawValue < $1.record.id.rawValue }) {
      guard let findings = containers[container.record.id] else { continue }
      report.containers.append(CheckReport.Item(id: container.record.id.rawValue, findings: findings))
      report.evidence.containers[container.record.id] = container.record
    }
    report.isPartial = false
    report.leftovers = leftovers
    report.evidence.unaccounted = unaccounted
    return report
  }
}
