// SPDX-License-Identifier: Apache-2.0

internal import StowageCompression
internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// The first phase of a check: every layer for itself (store-semantics 22.3).
///
/// Content is read without a lock. What looks damaged then counts only if the layer is found unchanged when the lock is held
/// again; else it is checked anew.
struct LayerCheck {
  let store: Store
  private let options: CheckOptions
  /// Whether what is not recorded may be there all the same.
  private let mayMissLayers: Bool
  /// Trees of verified layers that have children still to be checked.
  var trees: [LayerLocation: ExpectedTree] = [:]
  /// Numbers of the children that are still to be checked.
  var childrenLeft: [LayerLocation: Int] = [:]
  /// How layers with children still to be checked differ from what the archives of their chains say, as far as these are known;
  /// none that cannot be mounted.
  var differences: [LayerLocation: [TreeDifference]] = [:]
  /// What the own directory of the layer that is being checked must hold.
  var expectedUpper: ExpectedUpper?
  /// What is wrong with which layer; healthy ones are left out.
  private(set) var findings: [LayerID: [CheckFinding]] = [:]
  /// Layers whose content cannot be read.
  private var unverified: [ForeignForm: Int] = [:]

  init(_ store: Store, _ options: CheckOptions, _ losses: RecordLosses) {
    self.store = store
    self.options = options
    mayMissLayers = store.topology.missesImageStore || losses.mayHide(.layers)
  }

  /// Checks layers, which must be ordered parents first.
  mutating func run(_ subjects: [LayerSubject], _ cancellation: CancellationFlag) throws(StorageError) {
    for subject in subjects {
      if let parent = subject.parent?.location { childrenLeft[parent, default: 0] += 1 }
    }
    for subject in subjects {
      try cancellation.check()
      let found = try confirmed(subject)
      if !found.isEmpty { findings[subject.id] = found }
      if let parent = subject.parent?.location {
        childrenLeft[parent, default: 1] -= 1
        if childrenLeft[parent] == 0 { (trees[parent], differences[parent]) = (nil, nil) }
      }
    }
    for (form, count) in unverified.sorted(by: { $0.value > $1.value }) {
      let subject = count == 1 ? "a layer" : "each of \(count) layers"
      Log.warning("\(subject) \(form.phrase), whose content this version does not verify")
    }
  }

  private mutating func confirmed(_ first: LayerSubject) throws(StorageError) -> [CheckFinding] {
    var subject = first
    for _ in 0..<3 {
      var (found, failure): ([CheckFinding], StorageError?) = ([], nil)
      do throws(StorageError) { found = try check(subject) } catch {
        if error.code == .cancelled { throw error }
        failure = error
      }
      if found.isEmpty, failure == nil { return [] }
      let now = try store.read([.layers]) { (access) throws(StorageError) in access.layers.current(subject) }
      guard let now else { return [] }
      if now.state == subject.state {
        if let failure { throw failure }
        return found
      }
      (trees[subject.layer.location], differences[subject.layer.location]) = (nil, nil)
      subject = now
    }
    Log.warning("layer \(subject.id) changes all the time; it is not checked")
    return []
  }

  private mutating func check(_ subject: LayerSubject) throws(StorageError) -> [CheckFinding] {
    expectedUpper = nil
    var found = checkItems(subject)
    let forms: (own: ForeignForm?, all: Set<ForeignForm>)
    switch subject.forms {
    case .success(let known): forms = (known.own, known.below.union(known.own.map { [$0] } ?? []))
    case .failure(let error): return found + [CheckFinding(error.code, "\(subject.title): \(error.message)", .none)]
    }
    if let form = forms.own, subject.isUnreadable(form) {
      unverified[form, default: 0] += 1
    } else {
      let (digestFindings, isVerified) = try checkDigest(subject, forms.all)
      found += digestFindings
      if isVerified, options.comparesContents { remember(subject) }
    }
    found += try checkTree(subject, forms.all)
    if let parent = subject.missingParent, subject.layer.location.isWritable {
      let text = "layer \(parent): \(StorageError.Code.layerMissing.text)"
      found.append(
        CheckFinding(
          .layerMissing, text, mayMissLayers || subject.keepsMissingParent ? .none : .deletion))
    }
    return found
  }

  private func checkItems(_ subject: LayerSubject) -> [CheckFinding] {
    subject.items.compactMap { item in
      let title = "\(subject.title): data item \(goQuoted(item.key))"
      switch ItemState(of: item.file) {
      case .readable(let content):
        return content.isBlank ? CheckFinding(.corrupt, "\(title): is full of NULs", .none) : nil
      case .missing:
        // An index that is made again from the layer's table of contents.
        if item.key == "chunked-manifest-cache" { return nil }
        let remedy: CheckFinding.Remedy = subject.headerForm == .pulledInParts ? .none : .deletion
        return CheckFinding(.layerDataMissing, "\(title): \(StorageError.Code.layerDataMissing.text)", remedy)
      case .unreadable(let error): return CheckFinding(.system, "\(title): \(error.message)", .none)
      }
    }
  }
}
