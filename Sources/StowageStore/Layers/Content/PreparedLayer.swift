// SPDX-License-Identifier: Apache-2.0

internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
package import StowageModel
internal import StowageSystem
internal import Synchronization
internal import SystemPackage

/// The content of a layer, extracted and verified, whose parent need not be in the store yet.
///
/// Made by ``LayerOperations/prepare(_:diff:expecting:progress:isCancelled:)`` and used up by
/// ``LayerOperations/commit(_:)``. What is not committed is deleted with the object; after a crash by the next opener.
package final class PreparedLayer: Sendable {
  /// The bytes in memory that the content takes until it is committed; the content itself is on disk.
  package let weight: Int
  /// The staged tar-split file.
  let tarSplit: FilePath?
  /// The staged tree, if it is still to be forced to the device.
  let unflushedTree: FilePath?
  /// The root of the store that the tree is for.
  let targetRoot: FilePath?
  private let content: Mutex<StagedContent?>
  private let source: LayerState?
  fileprivate let ground: Ground

  /// What the extraction took from the layer below: it must be the same in the parent of the commit.
  fileprivate struct Ground: Equatable {
    let idMaps: IDMaps
    let shift: OwnerShift?
    let mode: UInt32
    let uid: UInt32
    let gid: UInt32
  }

  fileprivate init(_ content: consuming StagedContent, _ ground: Ground) {
    weight = content.diff?.result?.weight ?? 0
    tarSplit = content.diff?.tarSplit
    unflushedTree = content.needsFlush ? content.layer?.tree : nil
    targetRoot = content.layer?.targetRoot
    source = content.source
    self.content = Mutex(consume content)
    self.ground = ground
  }

  /// The content, once.
  func take() -> StagedContent? { content.withLock { $0.take() } }

  /// Makes sure that the content fits a layer; `ground` is what the layer takes from the one below.
  ///
  /// - Throws: `busy`.
  fileprivate func check(_ new: NewLayer, on ground: Ground) throws(StorageError) {
    try new.checkSource(source)
    let isLike = ground == self.ground && ground.idMaps == new.options.idMaps && ground.shift == new.options.shift
    if !isLike {
      throw StorageError(
        .busy, "content was prepared on a layer unlike its parent", subject: new.basis?.id.rawValue)
    }
  }
}

/// Why a stack of layers was not made. Nothing of it is there.
package struct StackFailure: Error {
  /// Which layer could not be made.
  package let position: Int
  /// Whether nothing was begun: all content can be committed still.
  package let isUntouched: Bool
  /// The reason.
  package let reason: StorageError
}

extension LayerOperations {
  /// Whether content can be extracted before the layer's parent exists: not if layers begin as copies of their parents.
  ///
  /// - Throws: what the driver throws when it has to be started again.
  package func canPrepare() throws(StorageError) -> Bool { try !store.drivers.current().traits.copiesParent }

  /// How many layers one can be mounted over; `nil` for any number.
  ///
  /// - Throws: what the driver throws when it has to be started again.
  package func mostLayers() throws(StorageError) -> Int? { try store.drivers.current().traits.mostLayers }

  /// Extracts and verifies a diff without making its layer, so that several layers of an image can be extracted at
  /// once.
  ///
  /// No lock is held meanwhile. Only for drivers that ``canPrepare()``.
  ///
  /// - Parameter request: the layer; its parent is the nearest ancestor that is in the store already.
  /// - Throws: as ``put(_:diff:expecting:progress:isCancelled:)``.
  package func prepare(
    _ request: LayerCreation, diff: LayerInput, expecting: ExpectedDiff = ExpectedDiff(),
    progress: (@Sendable (UInt64) -> Void)? = nil, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(StorageError) -> PreparedLayer {
    guard try canPrepare() else { throw StorageError(.notSupported, "layers of this driver need their parent") }
    let new = try LayerResolution(store: store, request: request, hasDiff: true).run()
    let ground = try PreparedLayer.Ground(of: new, try store.drivers.current())
    let content = try ContentStaging(store).stage(
      new, DiffRequest(input: diff, expecting: expecting, progress: progress, isCancelled: isCancelled),
      defersFlush: true)
    return PreparedLayer(content, ground)
  }

  /// Makes layers of prepared content, each over the parent of its request: one that is in the store, or the layer before it.
  ///
  /// All of them appear at once. The lock is held meanwhile, and instance locks until then: a few dozen are enough to make the
  /// writing of the records cheap.
  ///
  /// - Throws: the reason is as of ``put(_:diff:expecting:progress:isCancelled:)``; `busy` if a parent has other ID maps or
  ///   another owner or mode of its root than the ancestor that the content was prepared on: extract it again then.
  package func commit(_ stack: [(content: PreparedLayer, request: LayerCreation)]) throws(StackFailure) {
    var (position, isUntouched) = (0, true)
    do throws(StorageError) {
      try ContentStaging.flush(stack.map(\.content))
      try store.write([.layers]) { (access) throws(StorageError) in
        let layers = access.layers
        var made: [(new: NewLayer, content: PreparedLayer)] = []
        for (index, layer) in stack.enumerated() {
          position = index
          made.append((try announce(layer.content, layer.request, over: made.last, layers), layer.content))
        }
        isUntouched = false
        try layers.create(made, position: &position)
      }
    } catch {
      throw StackFailure(position: position, isUntouched: isUntouched, reason: error)
    }
  }

  /// Enters the record of a layer that is to be made of prepared content, if that fits.
  ///
  /// - Parameter below: the layer before it, which is not made yet: what was prepared on the same ground is the same ground.
  private func announce(
    _ content: PreparedLayer, _ request: LayerCreation, over below: (new: NewLayer, content: PreparedLayer)?,
    _ layers: borrowing LayersWriting
  ) throws(StorageError) -> NewLayer {
    let last = below?.new.record.id.rawValue == request.parent ? below : nil
    let resolution = LayerResolution(store: store, request: request, hasDiff: true)
    var new = try resolution.describe(layers.reading, over: last?.new)
    new.avoidTaken(layers.reading, isNamed: !(request.id ?? "").isEmpty)
    if let last {
      try content.check(new, on: last.content.ground)
    } else {
      try content.check(new, on: try PreparedLayer.Ground(of: new, layers.driver))
    }
    try layers.announce(new)
    return new
  }
}

extension ApplyResult {
  /// About the bytes of memory that the result takes.
  fileprivate var weight: Int {
    impliedDirectories.reduce(4 * (uidSet.count + gidSet.count)) { $0 + $1.count + 64 }
  }
}

extension PreparedLayer.Ground {
  /// What a new layer's root takes from its parent. The driver is asked by letting it begin a layer.
  fileprivate init(of new: NewLayer, _ driver: any GraphDriver) throws(StorageError) {
    var options = new.options
    options.shift = nil
    let probe = try driver.stage(over: new.chain, targetRoot: new.location.root, options)
    let tree = probe.tree
    let status = Result { () throws(Errno) in try Syscall.lstat(tree) }
    try probe.discard()
    let found = try attempt("lstat", tree) { () throws(Errno) in try status.get() }
    self.init(
      idMaps: new.options.idMaps, shift: new.options.shift, mode: found.permissions, uid: found.uid, gid: found.gid)
  }
}
