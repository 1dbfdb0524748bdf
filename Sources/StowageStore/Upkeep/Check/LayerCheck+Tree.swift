// SPDX-License-Identifier: Apache-2.0

internal import StowageCompression
internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

extension LayerCheck {
  /// Keeps the tree that a verified layer must have, if its ancestors are verified.
  mutating func remember(_ subject: LayerSubject) {
    guard let tarSplit = subject.tarSplit, subject.depth != nil else { return }
    let headers: LayerHeaders
    do throws(StorageError) { headers = try LayerHeaders(tarSplit: tarSplit, form: subject.headerForm) } catch {
      return Log.warning("cannot read the headers of \(subject.title): \(error)")
    }
    var tree = ExpectedTree()
    if let parent = subject.parent?.location {
      guard let known = trees[parent] else { return }
      tree = known
      // The last child changes the tree in its place, which costs what the child has and not what is below it. If that child is
      // checked anew then, only its digest is.
      if childrenLeft[parent] == 1 { trees[parent] = nil }
    }
    tree.apply(headers)
    trees[subject.layer.location] = tree
    expectedUpper = ExpectedUpper(headers)
  }

  /// Compares what a layer shows with its archives.
  ///
  /// Over a parent whose differences are known only the layer's own directory is compared: the whole trees of a chain would cost
  /// the square of its length. For the same reason only layers without children are mounted, which takes all of their chain. A
  /// layer whose own directory is not as it should be is looked at as a whole, so that it is told what it shows.
  mutating func checkTree(_ subject: LayerSubject, _ forms: Set<ForeignForm>) throws(StorageError) -> [CheckFinding] {
    if forms.contains(.composefs) { return [] }
    let location = subject.layer.location
    let expected = trees[location].flatMap { $0.isUncertain ? nil : $0 }
    let hasChildren = (childrenLeft[location] ?? 0) > 0
    var shown = forms.isEmpty ? try inheritedDifferences(subject, isCompared: expected != nil) : nil
    if location.isWritable, shown == nil || !hasChildren {
      let mount: PrivateMount
      do throws(StorageError) { mount = try present(subject) } catch {
        // What lies in an additional layer store is missing only while that store is not there.
        let isMissing = forms.isEmpty && (error.code == .layerUnknown || error.code == .driverLayerUnknown)
        return [CheckFinding(error.code, "\(subject.title): \(error.message)", isMissing ? .deletion : .none)]
      }
      defer { mount.end() }
      do throws(StorageError) {
        if shown == nil {
          shown =
            try expected.map { (tree) throws(StorageError) in try compare(subject, at: mount.path, with: tree) } ?? []
        }
      } catch {
        return [CheckFinding(error.code, "\(subject.title): scanning contents: \(error.message)", .none)]
      }
    }
    if hasChildren { differences[location] = shown }
    guard location.isWritable, let shown, let expected else { return [] }
    return shown.map { difference in
      let code = StorageError.Code.layerContentModified
      let isProof = !difference.isTimeOnly && !expected.isApproximate
      return CheckFinding(code, "\(subject.title): \(difference.text), \(code.text)", isProof ? .deletion : .none)
    }
  }

  /// How a layer differs from its archives if its own directory is as it should be: as its parent does, but for what it hides.
  ///
  /// - Returns: `nil` if this is not known of the parent, or the layer does not just add its own directory to what that shows.
  private func inheritedDifferences(
    _ subject: LayerSubject, isCompared: Bool
  ) throws(StorageError) -> [TreeDifference]? {
    let location = subject.layer.location
    let parent = subject.parent?.location
    guard let depth = subject.depth, let below = parent.map({ differences[$0] }) ?? [] else { return nil }
    do throws(StorageError) {
      let own = try store.read([.layers]) { (access) throws(StorageError) -> OwnContent? in
        let driver = access.layers.driver
        if let most = driver.traits.mostLayers, depth > most { return nil }
        return try driver.differenceReading?.ownContent(of: location, over: parent)
      }
      guard let own else { return nil }
      if !isCompared { return [] }
      let (maps, limits) = (subject.layer.record.idMaps, ComparisonLimits(store.options))
      guard let expectedUpper, try expectedUpper.matches(own.tree, own.attributes, maps: maps, limits) else {
        return nil
      }
      return below.filter { !expectedUpper.hides($0.path) }
    } catch {
      if error.code == .cancelled { throw error }
      // The look at the whole tree meets it again, and tells it.
      return nil
    }
  }

  /// Presents a layer at a place of our own.
  private func present(_ subject: LayerSubject) throws(StorageError) -> PrivateMount {
    let store = store
    return try store.read([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      let isWhole = subject.depth == nil || layers.driver.traits.copiesParent
      let chain = isWhole ? [] : try layers.chain(of: subject.layer)
      return try PrivateMount(subject.layer.location, chain, layers.driver, store.topology)
    }
  }

  private func compare(
    _ subject: LayerSubject, at path: FilePath, with expected: ExpectedTree
  ) throws(StorageError) -> [TreeDifference] {
    let limits = ComparisonLimits(store.options)
    return try compareTree(at: path, with: expected, maps: subject.layer.record.idMaps, limits)
  }
}
