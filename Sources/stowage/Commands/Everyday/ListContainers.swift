// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `ps`: the containers of the store, whoever made them.
enum ListContainersCommand {
  enum Order: String, CaseIterable {
    case created
    case name
    case id
    case image
    case owner
    case size
  }

  static let filters = ["name", "id", "ancestor", "label", "owner", "status", "since", "before"]
  private static let filter = ListingFilter.option(filters)
  private static let order = ListingOrder(default: Order.created)
  static let size = OptionDefinition("--size", usage: "Measure what each container has changed")
  private static let all = OptionDefinition(
    "--all", "-a", usage: "For those used to Podman: all are listed in any case")

  static let definition = CommandDefinition(
    "ps", arguments: .none, synopsis: "[options [...]]", usage: "List containers, whoever made them",
    details: """
      OWNER is the program that made the container and looks after it, - if none of podman, buildah and cri-o did. STATE is
      mounted or unmounted, as the store sees it: this program knows nothing of processes. With --size the files that a
      container has changed or added are measured, which takes time.

      The filters name and id take regular expressions; ancestor, since and before a name; label a label of the image with or
      without =VALUE; status mounted or unmounted. Sorted are created newest first and size smallest first.
      """,
    options: Listing.options + [filter, order.option, size, all], run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let options = context.options
    let view = try StoreView(context.store)
    let order = try order.key(options)
    let found = try containers(of: view, try ListingFilter.read(options[list: filter], known: filters))
    var sizes: [ContainerID: Int64] = [:]
    if options[flag: size] || order == .size {
      for container in found { sizes[container.id] = try measured(container, context.store) }
    }
    let descriptions = found.map { ContainerDescription($0, view, size: sizes[$0.id]) }
    try listing(
      sorted(descriptions, by: order), view, hasSizes: options[flag: size],
      isWhole: options[flag: Listing.noTruncation]
    ).print(context)
    return .success
  }

  /// The size of a container; nil if it was deleted meanwhile.
  static func measured(_ container: ContainerRecord, _ store: Store) throws(StorageError) -> Int64? {
    do throws(StorageError) { return try store.containers.size(of: container.id.rawValue) } catch {
      if error.code == .containerUnknown || error.code == .layerUnknown { return nil }
      throw error
    }
  }

  static func containers(of view: StoreView, _ filters: [ListingFilter]) throws(StorageError) -> [ContainerRecord] {
    var found = view.snapshot.containers
    for filter in filters {
      let fits = try condition(filter, view)
      var kept: [ContainerRecord] = []
      for container in found where try fits(container) { kept.append(container) }
      found = kept
    }
    return found
  }

  private typealias Condition = (ContainerRecord) throws(StorageError) -> Bool

  private static func condition(_ filter: ListingFilter, _ view: StoreView) throws(StorageError) -> Condition {
    switch filter.name {
    case "name":
      let isFound = try filter.expression()
      return { (container) throws(StorageError) in container.names.contains(where: isFound) }
    case "id":
      let isFound = try filter.expression()
      return { (container) throws(StorageError) in isFound(container.id.rawValue) }
    case "ancestor":
      let ancestor = try view.snapshot.image(named: filter.value, searched: configuredNames)
      return { (container) throws(StorageError) in
        guard let image = view.images.first(where: { $0.id == container.image })?.record else { return false }
        if image.id == ancestor.id { return true }
        return ancestor.record.layer.map { view.sizes.chain(of: image).contains($0) } ?? false
      }
    case "label":
      return { (container) throws(StorageError) in
        guard let image = view.images.first(where: { $0.id == container.image })?.record else { return false }
        return filter.fits(labels: try view.configuration(of: image).labels)
      }
    case "owner": return { (container) throws(StorageError) in view.owner(of: container)?.rawValue == filter.value }
    case "status":
      return { (container) throws(StorageError) in ContainerDescription(container, view).state == filter.value }
    case "since":
      let other = try view.snapshot.container(named: filter.value)
      return { (container) throws(StorageError) in other.created < container.created }
    default:
      let other = try view.snapshot.container(named: filter.value)
      return { (container) throws(StorageError) in container.created < other.created }
    }
  }

  static func sorted(_ containers: [ContainerDescription], by order: Order) -> [ContainerDescription] {
    containers.sorted { one, other in
      let (a, b) = (one.record, other.record)
      switch order {
      case .created: return a.created == b.created ? a.id < b.id : b.created < a.created
      case .name: return name(of: a).precedesByBytes(name(of: b))
      case .id: return a.id < b.id
      case .image: return (one.imageText + " " + name(of: a)).precedesByBytes(other.imageText + " " + name(of: b))
      case .owner: return (one.ownerText + " " + name(of: a)).precedesByBytes(other.ownerText + " " + name(of: b))
      case .size: return (one.size ?? -1) < (other.size ?? -1)
      }
    }
  }

  static func listing(
    _ containers: [ContainerDescription], _ view: StoreView, hasSizes: Bool, isWhole: Bool = false
  ) -> Listing {
    var columns: [Table.Column] = [
      .init("ID"), .init("NAME", cut: .middle), .init("IMAGE", cut: .middle, rank: 4), .init("OWNER", rank: 2),
      .init("CREATED", rank: 1), .init("STATE"),
    ]
    if hasSizes { columns.append(.init("OWN SIZE", .right)) }
    let rows = containers.map { container in
      let id = isWhole ? container.record.id.rawValue : shortID(container.record.id.rawValue)
      let cells = [
        id, container.record.names.first ?? unnamed, container.imageText, container.ownerText,
        ageText(of: container.record.created, at: view.now), container.state,
      ]
      return Listing.Row(
        cells: hasSizes ? cells + [sizeText(container.size)] : cells, fields: container.rowFields,
        document: container.summary, identifier: id)
    }
    return Listing(
      columns: columns, rows: rows, headings: ["ID": "CONTAINER ID", "Id": "CONTAINER ID", "RunningFor": "CREATED"])
  }
}
