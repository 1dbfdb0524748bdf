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
  private let store: Store
  private let options: CheckOptions
  /// Whether what is not recorded may be there all the same.
  private let mayMissLayers: Bool
  /// Trees of verified layers that have children still to be checked.
  private var trees: [LayerLocation: ExpectedTree] = [:]
  private var childrenLeft: [LayerLocation: Int] = [:]
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
      if let parent = subject.parent { childrenLeft[parent.location, default: 0] += 1 }
    }
    for subject in subjects {
      try cancellation.check()
      let found = try confirmed(subject)
      if !found.isEmpty { findings[subject.id] = found }
      if let parent = subject.parent?.location {
        childrenLeft[parent, default: 1] -= 1
        if childrenLeft[parent] == 0 { trees[parent] = nil }
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
      trees[subject.layer.location] = nil
      subject = now
    }
    Log.warning("layer \(subject.id) changes all the time; it is not checked")
    return []
  }

  private mutating func check(_ subject: LayerSubject) throws(StorageError) -> [CheckFinding] {
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

  // MARK: Digests

  /// Makes the layer's archive again and compares digest and size with the record's.
  private func checkDigest(
    _ subject: LayerSubject, _ forms: Set<ForeignForm>
  ) throws(StorageError) -> ([CheckFinding], isVerified: Bool) {
    guard let digest = subject.layer.record.diffDigest else { return ([], false) }
    let title = subject.title
    let roots: [FilePath]
    switch subject.contentRoots {
    case .success(let known): roots = known
    case .failure(let error): return ([CheckFinding(error.code, "\(title): \(error.message)", .none)], false)
    }
    var sink = DigestSink()
    let tarSplit = try subject.readableTarSplit()
    do throws(StorageError) {
      if let tarSplit {
        do throws(StorageError) { try reassembleLayer(tarSplit: tarSplit, roots: roots, to: sink) } catch {
          // What is not in the layer's own tree may be in those of lower layers, which are not looked for before.
          guard error.code != .cancelled, let all = try wholeRoots(of: subject), all != roots else { throw error }
          sink = DigestSink()
          try reassembleLayer(tarSplit: tarSplit, roots: all, to: sink)
        }
      } else {
        try store.read([.layers]) { (access) throws(StorageError) in
          let layers = access.layers
          try LayerComparison(of: subject.id.rawValue, from: nil, layers, store)
            .write(to: .sink(sink), Compression.none, isStrict: false, layers, isAnew: true)
        }
      }
    } catch {
      if error.code == .cancelled { throw error }
      // What lies in an additional layer store is missing only while that store is not there.
      let remedy: CheckFinding.Remedy = error.isEvidence && forms.isEmpty ? .deletion : .none
      // The reference meets it twice: in reading the archive, and in making it.
      return (
        [
          CheckFinding(error.code, "\(title): consume any trailer after the EOF marker: \(error.message)", remedy),
          CheckFinding(error.code, "\(title): \(error.message)", remedy),
        ], false
      )
    }
    // Without tar-split file the archive is another one although the tree is whole: it may be with another graph root. And who
    // pulls by table of contents may record the digest that it was told.
    let isProof = tarSplit != nil && subject.layer.record.tocDigest == nil
    let remedy: CheckFinding.Remedy = isProof ? .deletion : .none
    var found: [CheckFinding] = []
    if sink.digest != digest {
      let code = StorageError.Code.layerIncorrectContentDigest
      found.append(CheckFinding(code, "\(title): \(code.text)", remedy))
    }
    let size = subject.layer.record.diffSize
    if size != -1, sink.count != size {
      let code = StorageError.Code.layerIncorrectContentSize
      found.append(
        CheckFinding(code, "\(title): read \(sink.count) bytes instead of \(size) bytes: \(code.text)", remedy))
    }
    if tarSplit == nil, !found.isEmpty || subject.tarSplit != nil {
      let what = subject.tarSplit == nil ? "missing" : "damaged"
      found.append(
        found.isEmpty
          ? CheckFinding(.corrupt, "\(title): the tar-split file is damaged, and can be made again", .restoration)
          : CheckFinding(.corrupt, "\(title): the tar-split file is \(what), so the content is not verified", .none))
    }
    return (found, found.isEmpty)
  }

  /// Where the files of a layer's archive may be, lower layers included; `nil` if it has gone.
  private func wholeRoots(of subject: LayerSubject) throws(StorageError) -> [FilePath]? {
    guard subject.depth != nil else { return nil }
    return try store.read([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      return try layers.driver.contentRoots(of: subject.layer.location, over: layers.chain(of: subject.layer))
    }
  }

  /// Keeps the tree that a verified layer must have, if its ancestors are verified.
  private mutating func remember(_ subject: LayerSubject) {
    guard let tarSplit = subject.tarSplit, subject.depth != nil else { return }
    var tree = ExpectedTree()
    if let parent = subject.parent {
      guard let known = trees[parent.location] else { return }
      tree = known
    }
    do throws(StorageError) { tree.apply(try LayerHeaders(tarSplit: tarSplit, form: subject.headerForm)) } catch {
      return Log.warning("cannot read the headers of \(subject.title): \(error)")
    }
    trees[subject.layer.location] = tree
  }

  // MARK: Trees

  /// Presents the layer at a place of our own and compares it with its archives.
  private func checkTree(_ subject: LayerSubject, _ forms: Set<ForeignForm>) throws(StorageError) -> [CheckFinding] {
    guard subject.layer.location.isWritable, !forms.contains(.composefs) else { return [] }
    let location = subject.layer.location
    let store = store
    let mount: PrivateMount
    do throws(StorageError) {
      mount = try store.read([.layers]) { (access) throws(StorageError) in
        let layers = access.layers
        let chain = subject.depth == nil ? [] : try layers.chain(of: subject.layer)
        return try PrivateMount(location, chain, layers.driver, store.topology)
      }
    } catch {
      // What lies in an additional layer store is missing only while that store is not there.
      let isMissing = forms.isEmpty && (error.code == .layerUnknown || error.code == .driverLayerUnknown)
      return [CheckFinding(error.code, "\(subject.title): \(error.message)", isMissing ? .deletion : .none)]
    }
    defer { mount.end() }
    guard let expected = trees[location], !expected.isUncertain else { return [] }
    do throws(StorageError) {
      let limits = ComparisonLimits(store.options)
      let maps = subject.layer.record.idMaps
      return try compareTree(at: mount.path, with: expected, maps: maps, limits).map { difference in
        let code = StorageError.Code.layerContentModified
        let isProof = !difference.isTimeOnly && !expected.isApproximate
        return CheckFinding(
          code, "\(subject.title): \(difference.text), \(code.text)", isProof ? .deletion : .none)
      }
    } catch {
      return [CheckFinding(error.code, "\(subject.title): scanning contents: \(error.message)", .none)]
    }
  }
}
