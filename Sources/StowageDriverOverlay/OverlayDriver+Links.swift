// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
import StowageFiles
package import StowageModel
import StowageSystem
package import SystemPackage

extension OverlayDriver {
  /// Compares links and lists with the records (changes-1.64 6.3).
  package func linkFindings(_ chains: [LayerChain]) -> [LinkFinding] {
    var findings: [LinkFinding] = []
    for root in Set(chains.map(\.layer.root)) {
      var audit = LinkAudit(driver: self, root: root, repairs: false, mounted: [])
      do throws(StorageError) { try audit.run(chains) } catch {
        Log.warning("overlay: cannot compare the links of \(root): \(error)")
      }
      findings += audit.findings
    }
    return findings
  }

  /// Whether one of the layers, where it may be written, has no short name or no entry in `l`, or the layer's list does not
  /// have the short names of its parents.
  package func lacksLinks(_ chain: LayerChain) throws(StorageError) -> Bool {
    var entries: [LayerLocation: String] = [:]
    for layer in [chain.layer] + chain.parents {
      let files = files(of: layer)
      let name = try files.shortName()
      if layer.isWritable {
        guard let name, try HostFiles.exists(files.linkEntry(name), followingLinks: false) else { return true }
      }
      entries[layer] = name
    }
    guard chain.layer.isWritable else { return false }
    let wanted = try driverChain(of: chain.layer, over: chain.parents)
    if wanted.isEmpty { return false }
    return try files(of: chain.layer).listedLinks() != wanted.compactMap { entries[$0].map { "l/" + $0 } }
  }

  /// Restores links and lists of one store.
  @discardableResult
  package func repairLinks(
    _ chains: [LayerChain], in root: FilePath, mounted: Set<LayerID>
  ) throws(StorageError) -> [LinkFinding] {
    var audit = LinkAudit(driver: self, root: root, repairs: true, mounted: mounted)
    try audit.run(chains)
    return audit.findings
  }

  /// A layer's short name, with its entry in `l`. What is missing is made, if the store may be written.
  ///
  /// - Throws: `system`: `open <layer>/link: no such file or directory` for a read-only store.
  func shortName(of layer: LayerLocation) throws(StorageError) -> String {
    let files = files(of: layer)
    if let name = try files.shortName() {
      if layer.isWritable { try restoreEntry(name, of: files) }
      return name
    }
    guard layer.isWritable else { throw StorageError.failed("open", files.linkFile, .noSuchFileOrDirectory) }
    let known = try entriesByTarget(files.home)[files.linkTarget]?.first
    let name = known ?? OverlayLayer.newShortName()
    if known == nil { try HostFiles.symlink(files.linkEntry(name), to: files.linkTarget) }
    try rewrite(files.linkFile, name, mode: 0o644, in: files)
    return name
  }

  /// Replaces a file of a layer that stays whatever happens: what is not finished is where the next opener looks for it.
  fileprivate func rewrite(_ file: FilePath, _ text: String, mode: UInt32, in files: OverlayLayer) throws(StorageError)
  {
    let staged = try StagedDirectory.create(in: files.home.appending("tempdirs"))
    let place = staged.addition()
    try AtomicFile.replace(place, text: text, mode: mode)
    try HostFiles.rename(place, file)
    try AtomicFile.syncDirectory(files.path)
    try staged.finish()
  }

  /// Makes the entry `l/<name>` of a layer if there is none.
  func restoreEntry(_ name: String, of files: OverlayLayer) throws(StorageError) {
    let entry = files.linkEntry(name)
    guard try !HostFiles.exists(entry, followingLinks: false) else { return }
    try HostFiles.ensureDirectory(files.home.appending("l"), mode: 0o755, owner: .current)
    try HostFiles.symlink(entry, to: files.linkTarget)
  }

  /// The entries of `l`, by target.
  func entriesByTarget(_ home: FilePath) throws(StorageError) -> [String: [String]] {
    let links = home.appending("l")
    var result: [String: [String]] = [:]
    for entry in try HostFiles.entries(links) ?? [] where entry.kind == .symbolicLink {
      guard let target = HostFiles.linkTarget(links.appending(entry.name)) else { continue }
      result[target, default: []].append(entry.name)
    }
    return result
  }
}

/// One comparison of a store's links and lists with the records, which may repair what it finds.
private struct LinkAudit {
  let driver: OverlayDriver
  let root: FilePath
  let repairs: Bool
  let mounted: Set<LayerID>
  private(set) var findings: [LinkFinding] = []
  /// Short names that were read: each is in the lists of all layers above.
  private var shortNames: [LayerLocation: String] = [:]
  private var home: FilePath { driver.home(of: root) }

  init(driver: OverlayDriver, root: FilePath, repairs: Bool, mounted: Set<LayerID>) {
    self.driver = driver
    self.root = root
    self.repairs = repairs
    self.mounted = mounted
  }

  mutating func run(_ chains: [LayerChain]) throws(StorageError) {
    var own: [LayerChain] = []
    for chain in chains where chain.layer.root == root {
      if try driver.exists(chain.layer) { own.append(chain) }
    }
    try auditDangling(recorded: Set(own.map { driver.files(of: $0.layer).linkTarget }))
    let entries = try driver.entriesByTarget(home)
    for chain in own { try auditName(chain.layer, entries) }
    for chain in own where !chain.parents.isEmpty { try auditLists(chain) }
  }

  private mutating func note(_ layer: LayerID?, _ kind: LinkFinding.Kind) {
    findings.append(LinkFinding(layer: layer, kind: kind))
  }

  private func unlink(_ name: String) throws(StorageError) {
    let entry = home.appending("l").appending(name)
    do throws(Errno) { try Syscall.unlink(entry) } catch .noSuchFileOrDirectory {} catch {
      throw StorageError.failed("unlink", entry, error)
    }
  }

  /// Entries that lead to no layer at all: neither recorded nor on disk.
  private mutating func auditDangling(recorded: Set<String>) throws(StorageError) {
    for (target, names) in try driver.entriesByTarget(home).sorted(by: { $0.key < $1.key }) {
      if recorded.contains(target) { continue }
      if let id = OverlayLayer.identifier(inLinkTarget: target),
        try HostFiles.exists(OverlayLayer(home: home, id: id.rawValue).path, followingLinks: false)
      {
        continue
      }
      for name in names {
        note(nil, .linkDangling(name: name))
        if repairs { try unlink(name) }
      }
    }
  }

  /// A layer must have a short name and exactly one entry, by that name (graph-drivers 26.29).
  private mutating func auditName(_ layer: LayerLocation, _ entries: [String: [String]]) throws(StorageError) {
    let files = driver.files(of: layer)
    let links = entries[files.linkTarget] ?? []
    var name = try files.shortName()
    if name == nil {
      note(layer.id, .shortNameMissing)
      if repairs { name = try driver.shortName(of: layer) } else { name = links.first }
    }
    guard let name else { return }
    if !links.contains(name) {
      let entry = files.linkEntry(name)
      let isTaken = try HostFiles.exists(entry, followingLinks: false)
      if !isTaken || HostFiles.linkTarget(entry) != files.linkTarget {
        note(layer.id, .linkMissing(name: name))
        if repairs {
          if isTaken { try unlink(name) }
          try driver.restoreEntry(name, of: files)
        }
      }
    }
    for extra in links where extra != name {
      note(layer.id, .linkDangling(name: extra))
      if repairs { try unlink(extra) }
    }
  }

  private mutating func auditLists(_ chain: LayerChain) throws(StorageError) {
    let files = driver.files(of: chain.layer)
    let wanted = try driver.driverChain(of: chain.layer, over: chain.parents)
    // A copy that stands alone has no lists.
    if wanted.isEmpty { return }
    let mayWrite = repairs && !mounted.contains(chain.layer.id)

    var names: [String] = []
    for ancestor in wanted {
      if shortNames[ancestor] == nil { shortNames[ancestor] = try driver.files(of: ancestor).shortName() }
      guard let name = shortNames[ancestor] else { break }
      names.append("l/" + name)
    }
    let isNamed = names.count == wanted.count
    let links = try files.listedLinks()
    if links == nil {
      note(chain.layer.id, .lowerMissing)
    } else if isNamed, links != names {
      note(chain.layer.id, .parentsDiffer(file: "lower"))
    }
    if mayWrite, isNamed, links != names {
      let text = names.joined(separator: ":")
      try driver.rewrite(files.lowerFile, text, mode: 0o666, in: files)
    }

    let listed = try files.listedAncestors()
    let identifiers = wanted.map(\.id)
    guard listed != identifiers else { return }
    note(chain.layer.id, listed == nil ? .lowerLayersMissing : .parentsDiffer(file: "lower-layers"))
    if mayWrite {
      let text = identifiers.map(\.rawValue).joined(separator: ":")
      try driver.rewrite(files.lowerLayersFile, text, mode: 0o666, in: files)
    }
  }
}
