// SPDX-License-Identifier: Apache-2.0

import StowageDiff
package import StowageDriverAPI
import StowageFiles
package import StowageModel
import StowageSystem
package import SystemPackage

extension OverlayDriver {
  /// Makes `tempdirs/temp-dir-N/0-addition` with the permissions of a new layer's `diff` (graph-drivers 11.4).
  package func stage(
    over parents: [LayerLocation], targetRoot: FilePath, _ options: LayerCreateOptions
  ) throws(StorageError) -> StagedLayer {
    try refuseComposefs(below: parents)
    let attributes: RootAttributes
    do throws(StorageError) {
      attributes = try rootAttributes(over: parents.first, options)
    } catch  where error.code == .layerUnknown {
      let parent = parents.first?.id.rawValue ?? ""
      throw StorageError(
        .driverLayerUnknown, "parent layer \(goQuoted(parent)): unknown layer: \(error.message)", subject: parent,
        cause: error)
    }
    let directory = try StagedDirectory.create(in: home(of: targetRoot).appending("tempdirs"))
    let tree = directory.addition()
    var older: FilePath?
    try makeContentRoot(tree, attributes)
    if options.isCopy || options.shift != nil, !parents.isEmpty {
      let content = options.isCopy ? tree : directory.addition()
      if !options.isCopy {
        try makeContentRoot(content, attributes)
        older = content
      }
      let work = directory.addition()
      try HostFiles.makeDirectory(work, mode: 0o700, owner: .current)
      try copy(parents, to: content, work: work, options)
    }
    let target = ApplyTarget(root: tree, options: applyOptions(options.idMaps))
    return StagedLayer(target: target, older: older, targetRoot: targetRoot, directory: directory)
  }

  /// The layer's `diff`, extracted with overlay whiteouts; literal ones for a mount program.
  package func applyTarget(
    for layer: LayerLocation, over parents: [LayerLocation], idMaps: IDMaps
  ) throws(StorageError) -> ApplyTarget {
    guard layer.isWritable else { throw OverlayDriver.readOnly(layer) }
    let files = files(of: layer)
    guard try HostFiles.isDirectory(files.diff) else { throw OverlayDriver.missing(layer, files.diff) }
    return ApplyTarget(root: files.diff, options: applyOptions(idMaps))
  }

  private func applyOptions(_ maps: IDMaps) -> ApplyOptions {
    ApplyOptions(
      idMaps: maps, whiteouts: settings.mountProgram != nil ? .literal : .overlay(attributes),
      ignoreChownErrors: settings.ignoresChownErrors, forceMask: settings.forceMask,
      inUserNamespace: context.inUserNamespace, rootEntry: .ignore)
  }

  /// Looks in the parents' directories, where no mount is needed.
  package func adopt(
    _ directories: [[UInt8]], in tree: FilePath, over parents: [LayerLocation], older: FilePath?
  ) throws(StorageError) {
    if directories.isEmpty { return }
    var older = older
    var chain = older == nil ? try creationChain(parents)[...] : []
    try adoptDirectories(
      directories, in: tree,
      from: { () throws(StorageError) in
        if let tree = older.take() { return [tree] }
        return try chain.popFirst().map { (layer) throws(StorageError) in try lowerDirectories(of: [layer]) }
      }, attributes: attributes, ignoresOwnerErrors: settings.ignoresChownErrors,
      flushes: syncPolicy != .none)
  }

  /// The name space of the kernel's own attributes.
  var attributes: OverlayAttributes { context.inUserNamespace ? .user : .trusted }

  /// `unpacking failed (error: exit status 1; output: …)`; errors of the stream itself have no output. Errors that do not
  /// come from the archive (cancellation, a wrong digest) stay as they are.
  package func wrapApplyError(_ error: StorageError) -> StorageError {
    guard let failure = error.cause as? ApplyFailure else { return error }
    let text =
      switch failure.origin {
      case .entry: "unpacking failed (error: exit status 1; output: \(error.message))"
      case .archive:
        "unpacking failed (error: exit status 1; output: \(error.message))\n"
          + "exhausting input failed (error: \(error.message))"
      case .stream: "unpacking failed (error: \(error.message); output: )"
      }
    return StorageError(
      error.code, text, plain: "unpacking the layer: \(error.plainMessage)", subject: error.subject, path: error.path,
      cause: error)
  }

  /// The layer's `diff`, then those of all lower layers, each with its older generations.
  package func contentRoots(
    of layer: LayerLocation, over parents: [LayerLocation]
  ) throws(StorageError) -> [FilePath] {
    var roots: [FilePath] = []
    for layer in [layer] + (try driverChain(of: layer, over: parents)) {
      try requireInside(layer)
      let files = files(of: layer)
      roots.append(files.diff)
      roots += try files.olderGenerations()
    }
    return roots
  }

  /// The layer's own directory if `from` is its direct lower layer and the kernel allows it (graph-drivers 11.1).
  package func diffSource(of layer: LayerLocation, over parents: [LayerLocation], from: LayerID?) -> DiffSource {
    guard settings.mountProgram == nil, let chain = try? driverChain(of: layer, over: parents),
      chain.first?.id == from, nativeDiff.isSupported,
      // Mounting the trees says why not.
      (try? requireInside([layer] + chain)) != nil
    else { return .trees }
    return .overlay(
      upper: files(of: layer).diff, lowers: chain.map { files(of: $0).diff }, attributes: attributes)
  }

  /// The sum of the sizes in `diff` if `from` is the direct lower layer.
  package func diffSize(
    of layer: LayerLocation, over parents: [LayerLocation], from: LayerID?
  ) throws(StorageError) -> Int64? {
    guard try driverChain(of: layer, over: parents).first?.id == from else { return nil }
    return try diskUsage(of: layer).size
  }

  /// Working directories of the layer (graph-drivers 1.5).
  package func metadata(
    of layer: LayerLocation, over parents: [LayerLocation]
  ) throws(StorageError) -> [(String, String)] {
    let files = files(of: layer)
    guard try HostFiles.exists(files.path) else { throw OverlayDriver.missing(layer, files.path) }
    let lowers = try driverChain(of: layer, over: parents).map { self.files(of: $0).diff.string }
    var pairs: [(String, String)] = []
    if !lowers.isEmpty { pairs.append(("LowerDir", lowers.joined(separator: ":"))) }
    pairs.append(("MergedDir", mountPoint(of: layer).string))
    pairs.append(("UpperDir", files.diff.string))
    pairs.append(("WorkDir", files.work.string))
    return pairs
  }

  /// The six keys of graph-drivers 1.4.
  package func status() -> [(String, String)] {
    [
      ("Backing Filesystem", backing.name),
      ("Supports d_type", "true"),
      ("Native Overlay Diff", String(settings.mountProgram == nil && nativeDiff.isSupported)),
      ("Using metacopy", String(settings.mountProgram == nil && features.usesMetacopy)),
      ("Supports shifting", String(supportsShifting(IDMaps()))),
      ("Supports volatile", String((try? supportsVolatile()) ?? false)),
    ]
  }
}
