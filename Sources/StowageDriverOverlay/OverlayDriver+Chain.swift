// SPDX-License-Identifier: Apache-2.0

import StowageDiff
package import StowageDriverAPI
import StowageFiles
package import StowageModel
import SystemPackage

extension OverlayDriver {
  /// The ancestors whose content is below the layer, nearest first.
  ///
  /// Normally the recorded `parents`, as far as a copy among them that we made (``OverlayLayer/standsAlone()``): nothing is
  /// below that. A copy made by the reference has its template as lower layer while the record names the template's parent
  /// (graph-drivers 1.1): if the layer's own list has all of `parents` in their order and more layers in between that exist,
  /// the list is right. Any other disagreement is decided by the records (changes-1.64 6.3.3).
  func driverChain(of layer: LayerLocation, over parents: [LayerLocation]) throws(StorageError) -> [LayerLocation] {
    if parents.isEmpty { return [] }
    let files = files(of: layer)
    if try files.lists(exactly: parents) { return parents }
    if try files.standsAlone() { return [] }
    var found = try files.listedAncestors()
    if found == nil { found = try linkedAncestors(of: files, parents) }
    if let found, found.elementsEqual(parents.lazy.map(\.id)) { return parents }
    let recorded = try untilCopy(parents)
    guard let listed = found, listed.count > recorded.count, Set(listed).count == listed.count else { return recorded }
    var rest = recorded[...]
    var chain: [LayerLocation] = []
    for id in listed {
      if let next = rest.first, next.id == id {
        chain.append(next)
        rest = rest.dropFirst()
      } else if let template = try template(id, for: layer, parents) {
        chain.append(template)
      } else {
        Log.debug("overlay: layer \(layer.id) lists the unknown lower layer \(id); using the recorded parents")
        return recorded
      }
    }
    return rest.isEmpty ? chain : recorded
  }

  /// The ancestors by `lower-layers`, else by `lower` and the links.
  package func listedParents(of layer: LayerLocation) throws(StorageError) -> [LayerID]? {
    let files = files(of: layer)
    if try files.standsAlone() { return [] }
    if let listed = try files.listedAncestors() { return listed }
    // Without either the layer was made over none; an empty list was lost.
    if try !HostFiles.exists(files.lowerFile, followingLinks: false) { return [] }
    return try linkedAncestors(of: files, [])
  }

  /// The layer's `diff`, unless a list on disk says something else than that it is right over its recorded parent.
  package func ownContent(of layer: LayerLocation, over parent: LayerLocation?) throws(StorageError) -> OwnContent? {
    let files = files(of: layer)
    guard settings.mountProgram == nil, try HostFiles.isDirectory(files.diff), try files.olderGenerations().isEmpty,
      try parent.map({ (parent) throws(StorageError) in try files.lists(self.files(of: parent)) }) ?? true
    else { return nil }
    try requireInside(layer)
    return OwnContent(tree: files.diff, attributes: attributes)
  }

  /// The chain without what is below a copy that has all its content itself.
  private func untilCopy(_ chain: [LayerLocation]) throws(StorageError) -> [LayerLocation] {
    for (index, layer) in chain.enumerated() where try files(of: layer).standsAlone() {
      return Array(chain[...index])
    }
    return chain
  }

  /// A template has no place in the chain of records: it is in the layer's store or in one of the others.
  private func template(
    _ id: LayerID, for layer: LayerLocation, _ parents: [LayerLocation]
  ) throws(StorageError) -> LayerLocation? {
    var candidates = [LayerLocation(id: id, role: layer.role, root: layer.root)]
    candidates.append(LayerLocation(id: id, role: .graphRoot, root: context.graphRoot))
    if let store = context.imageStore { candidates.append(LayerLocation(id: id, role: .imageStore, root: store)) }
    for (index, store) in additionalImageStores.enumerated() {
      candidates.append(LayerLocation(id: id, role: .additionalImageStore(index), root: store))
    }
    for candidate in candidates where try HostFiles.exists(files(of: candidate).diff) { return candidate }
    return nil
  }

  /// The ancestors by way of `lower` and the entries in `l`; `nil` if one of them leads nowhere.
  private func linkedAncestors(
    of files: OverlayLayer, _ parents: [LayerLocation]
  ) throws(StorageError) -> [LayerID]? {
    guard let links = try files.listedLinks(), links.count <= 500 else { return nil }
    var homes = [files.home, graphHome]
    homes += parents.map { home(of: $0.root) } + [context.imageStore].compactMap { $0 }.map { home(of: $0) }
    homes += additionalImageStores.map { home(of: $0) }
    var seen: Set<FilePath> = []
    homes = homes.filter { seen.insert($0).inserted }
    var result: [LayerID] = []
    for link in links {
      guard link.hasPrefix("l/"), let name = FilePath.Component(String(link.dropFirst(2))), name.kind == .regular,
        let target = homes.lazy.compactMap({ HostFiles.linkTarget($0.appending("l").appending(name)) }).first,
        let id = OverlayLayer.identifier(inLinkTarget: target)
      else { return nil }
      result.append(id)
    }
    return result
  }
}

extension OverlayLayer {
  /// Whether `lower-layers` has exactly these layers. What is compared is text: to take it apart for each layer of a deep image
  /// would cost many times as much.
  func lists(exactly parents: [LayerLocation]) throws(StorageError) -> Bool {
    guard let listed = try HostFiles.read(lowerLayersFile) else { return false }
    return listed == Self.list(parents)
  }

  /// What is in `lower-layers`.
  static func list(_ parents: [LayerLocation]) -> [UInt8] {
    var text: [UInt8] = []
    for parent in parents {
      if !text.isEmpty { text.append(UInt8(ascii: ":")) }
      text.append(contentsOf: parent.id.rawValue.utf8)
    }
    return text
  }

  /// Whether the list of lower layers is the parent with that one's own list behind it. What is compared is text: to take all
  /// lists of a chain apart would cost the square of its length.
  fileprivate func lists(_ parent: OverlayLayer) throws(StorageError) -> Bool {
    if let listed = try HostFiles.read(lowerLayersFile), !listed.isEmpty {
      return listed == Self.list(parent.id, try HostFiles.read(parent.lowerLayersFile))
    }
    guard let listed = try HostFiles.read(lowerFile), let name = try parent.shortName() else { return false }
    return listed == Self.list("l/" + name, try HostFiles.read(parent.lowerFile))
  }

  private static func list(_ first: String, _ rest: [UInt8]?) -> [UInt8] {
    guard let rest, !rest.isEmpty else { return Array(first.utf8) }
    return first.utf8 + [UInt8(ascii: ":")] + rest
  }

  /// The identifier in a link target `../<ID>/diff`; `nil` for any other form.
  static func identifier(inLinkTarget target: String) -> LayerID? {
    let parts = target.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "..", parts[2] == "diff" else { return nil }
    return LayerID(recorded: String(parts[1]))
  }
}
