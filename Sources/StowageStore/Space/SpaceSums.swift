// SPDX-License-Identifier: Apache-2.0

internal import StowageModel

/// Adds up what was measured by what it belongs to.
struct SpaceSums {
  private let snapshot: SpaceSnapshot
  private let walk: SpaceWalk
  private let positions: [SpaceOwner: Int]
  /// The images that have a layer, by layer.
  private let users: [LayerID: [ImageID]]
  private let containerByLayer: [LayerID: ContainerID]

  init(_ snapshot: SpaceSnapshot, _ walk: SpaceWalk) {
    self.snapshot = snapshot
    self.walk = walk
    var positions: [SpaceOwner: Int] = [:]
    for (position, owner) in snapshot.owners.all.enumerated() { positions[owner] = position }
    self.positions = positions
    var users: [LayerID: [ImageID]] = [:]
    for image in snapshot.images { for layer in image.layers { users[layer, default: []].append(image.record.id) } }
    self.users = users
    containerByLayer = snapshot.containers.reduce(into: [:]) { $0[$1.layer] = $1.id }
  }

  /// All of it.
  func usage(_ roots: [DiskUsage.Root]) -> DiskUsage {
    var usage = DiskUsage()
    usage.roots = roots
    usage.images = snapshot.images.map(image)
    usage.containers = snapshot.containers.map(container)
    usage.layers = snapshot.layers.map(layer)
    for (position, owner) in snapshot.owners.all.enumerated() {
      guard case .leftover(let kind, let path) = owner else { continue }
      usage.leftovers.append(DiskUsage.LeftoverSpace(kind: kind, path: path, bytes: bytes(of: [position])))
    }
    usage.leftovers.sort { $0.path < $1.path }
    usage.parts = parts(usage)
    return usage
  }

  // MARK: Single things

  private func image(_ image: SpaceSnapshot.Image) -> DiskUsage.Image {
    let all = owners([.image(image.record.id)] + image.layers.map { .layer($0) })
    let unique = image.layers.filter { users[$0]?.count == 1 }
    let own = owners([.image(image.record.id)] + unique.map { .layer($0) })
    let free = [.image(image.record.id)] + unique.filter { !snapshot.needed.contains($0) }.map { SpaceOwner.layer($0) }
    let total = bytes(of: all)
    return DiskUsage.Image(
      record: image.record,
      space: .init(
        bytes: total, shared: total - bytes(only: own), reclaimable: image.isInUse ? 0 : freed(with: owners(free)),
        exclusive: exclusive(amount(of: all))),
      layers: image.layers, containers: image.containers, isInUse: image.isInUse)
  }

  private func container(_ record: ContainerRecord) -> DiskUsage.Container {
    let all = owners([.container(record.id), .layer(record.layer)])
    let isShared = users[record.layer] != nil
    let total = bytes(of: all)
    return DiskUsage.Container(
      record: record,
      space: .init(
        bytes: total, shared: total - bytes(only: isShared ? owners([.container(record.id)]) : all), reclaimable: nil,
        exclusive: exclusive(amount(of: all))),
      isMounted: snapshot.mounted.contains(record.layer))
  }

  private func layer(_ record: LayerRecord) -> DiskUsage.Layer {
    let own = owners([.layer(record.id)])
    let images = users[record.id] ?? []
    let total = bytes(of: own)
    return DiskUsage.Layer(
      record: record,
      space: .init(
        bytes: total, shared: images.count > 1 ? total : total - bytes(only: own),
        reclaimable: isFree(record.id) ? freed(with: own) : 0, exclusive: exclusive(amount(of: own))),
      images: images, container: containerByLayer[record.id], isMounted: snapshot.mounted.contains(record.id))
  }

  /// Whether a layer goes with images that can be deleted, or is of no use to anybody.
  private func isFree(_ layer: LayerID) -> Bool {
    users[layer] == nil ? !snapshot.standing.contains(layer) : !snapshot.needed.contains(layer)
  }

  // MARK: Parts

  private func parts(_ usage: DiskUsage) -> [DiskUsage.Part] {
    var sums: [DiskUsage.Part.Kind: SpaceWalk.Amount] = [:]
    for (position, owner) in snapshot.owners.all.enumerated() {
      sums[kind(owner), default: .init()] += walk.amounts[position]
    }
    for files in walk.linked {
      if let first = files.owners.first { sums[kind(at: first), default: .init()] += files.amount }
    }
    let others = snapshot.layers.map(\.id).filter { kind(.layer($0)) == .layers }
    return DiskUsage.Part.Kind.allCases.map { kind in
      let (count, inUse): (Int?, Int?) =
        switch kind {
        case .images: (usage.images.count, usage.images.count(where: \.isInUse))
        case .containers: (usage.containers.count, usage.containers.count(where: \.isMounted))
        case .layers: (others.count, others.count { snapshot.mounted.contains($0) })
        case .leftovers: (usage.leftovers.count, nil)
        case .downloads, .records: (nil, nil)
        }
      let space = DiskUsage.Space(
        bytes: sums[kind]?.bytes ?? 0, shared: shared(of: kind), reclaimable: reclaimable(of: kind, usage),
        exclusive: exclusive(sums[kind] ?? .init()))
      return DiskUsage.Part(kind: kind, count: count, inUse: inUse, space: space)
    }
  }

  /// What several images have. Other things share nothing but names of files.
  private func shared(of kind: DiskUsage.Part.Kind) -> Int64 {
    guard kind == .images else { return 0 }
    return users.reduce(0) { $1.value.count > 1 ? $0 + bytes(only: owners([.layer($1.key)])) : $0 }
  }

  private func reclaimable(of kind: DiskUsage.Part.Kind, _ usage: DiskUsage) -> Int64? {
    switch kind {
    case .images:
      let images = snapshot.images.filter { !$0.isInUse }.map { SpaceOwner.image($0.record.id) }
      return freed(with: owners(images + users.keys.filter(isFree).map { .layer($0) }))
    case .layers:
      return freed(with: owners(snapshot.layers.map(\.id).filter { users[$0] == nil && isFree($0) }.map { .layer($0) }))
    case .leftovers:
      return freed(with: owners(snapshot.owners.all.filter { self.kind($0) == .leftovers }))
    case .containers: return nil
    case .downloads, .records: return 0
    }
  }

  private func kind(at position: Int) -> DiskUsage.Part.Kind { kind(snapshot.owners.all[position]) }

  private func kind(_ owner: SpaceOwner) -> DiskUsage.Part.Kind {
    switch owner {
    case .layer(let id): users[id] != nil ? .images : containerByLayer[id] != nil ? .containers : .layers
    case .image: .images
    case .container: .containers
    case .leftover: .leftovers
    case .underWay: .downloads
    case .records: .records
    }
  }

  // MARK: Bytes

  private func owners(_ owners: [SpaceOwner]) -> Set<Int> { Set(owners.compactMap { positions[$0] }) }

  /// All that these take.
  private func bytes(of owners: Set<Int>) -> Int64 { amount(of: owners).bytes }

  private func amount(of owners: Set<Int>) -> SpaceWalk.Amount {
    sum(owners) { !owners.isDisjoint(with: $0.owners) }
  }

  /// The part that no other file has; nil where that is not known.
  private func exclusive(_ amount: SpaceWalk.Amount) -> Int64? {
    walk.knowsSharedBlocks ? amount.bytes - amount.inSharedBlocks : nil
  }

  /// What only these take.
  private func bytes(only owners: Set<Int>) -> Int64 {
    sum(owners) { owners.isSuperset(of: $0.owners) }.bytes
  }

  /// What is free when these are gone.
  private func freed(with owners: Set<Int>) -> Int64 {
    sum(owners) { !$0.areHeldElsewhere && owners.isSuperset(of: $0.owners) }.bytes
  }

  private func sum(_ owners: Set<Int>, _ includes: (SpaceWalk.LinkedFiles) -> Bool) -> SpaceWalk.Amount {
    var sum = SpaceWalk.Amount()
    for owner in owners { sum += walk.amounts[owner] }
    for files in walk.linked where includes(files) { sum += files.amount }
    return sum
  }
}
