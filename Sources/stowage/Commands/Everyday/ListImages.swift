// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `ls`: the images, a row for each name.
enum ListImagesCommand {
  enum Order: String, CaseIterable {
    case name
    case created
    case id
    case size
    case own
  }

  static let filters = ["reference", "id", "dangling", "label", "since", "before", "containers"]
  private static let filter = ListingFilter.option(filters)
  private static let order = ListingOrder(default: Order.name)

  static let definition = CommandDefinition(
    "ls", arguments: .any, synopsis: "[options [...]] [NAME [...]]", usage: "List images with their sizes and users",
    details: """
      One row for each name of an image; those without a name come last. SIZE is the size of all its layers, unpacked, and its
      documents, OWN the part that no other image has, - what the store has no record of. USED BY is the number of containers.
      Nothing is mounted or measured.

      A NAME selects names that it is equal to, or the end of behind a slash, with or without a tag; *, ? and [] stand for
      other characters. The beginning of an ID selects images, too. The filters since and before take an image, label a label
      with or without =VALUE, dangling and containers true or false. Names sort by name, and others by created (newest first),
      id, size or own (smallest first).
      """, completes: [.shortImages],
    options: Listing.options + [filter, order.option], run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let options = context.options
    let view = try StoreView(context.store)
    let wanted = Wanted(
      names: try context.arguments.map { (name) throws(StorageError) in try Wanted.Name(name, view) },
      filters: try ListingFilter.read(options[list: filter], known: filters))
    let order = try order.key(options)
    // Configurations are files of their own, and no column of the table.
    let isDetailed = options[flag: Listing.json] || !options[text: Listing.format].isEmpty
    let found = try wanted.images(of: view)
    // Headings alone would be no answer to a name.
    if context.arguments.isEmpty || !found.isEmpty {
      let isWhole = options[flag: Listing.noTruncation]
      try listing(found, by: order, view, isDetailed: isDetailed, isWhole: isWhole).print(context)
    }
    let missing = wanted.names.filter { name in !found.contains { name.selects($0.image) || name.fits($0.names) } }
    for name in missing { context.console.printError("no image fits \(goQuoted(name.text))") }
    return missing.isEmpty ? .success : .failure
  }

  /// What was found: an image with those of its names that were asked for.
  struct Found {
    let image: ImageInfo
    let names: [String]
  }

  /// What was asked for.
  struct Wanted {
    /// An argument: what it may be as the beginning of an ID, and the patterns for names that it stands for.
    struct Name {
      let text: String
      private var patterns: [String]

      /// A short name that fits nothing as it is stands for what `registries.conf` says.
      init(_ text: String, _ view: StoreView) throws(StorageError) {
        self.text = text
        patterns = [text]
        if view.images.contains(where: { selects($0) || fits($0.record.names) }) { return }
        let isTagged = splitName(text).repository != text
        patterns += try configuredNames(text).map { isTagged ? $0 : splitName($0).repository }
      }

      func selects(_ image: ImageInfo) -> Bool { !text.isEmpty && image.id.rawValue.utf8.starts(with: text.utf8) }

      func fits(_ name: String) -> Bool { patterns.contains { isReference($0, for: name) } }

      func fits(_ names: [String]) -> Bool { names.contains { fits($0) } }
    }

    let names: [Name]
    let filters: [ListingFilter]

    func images(of view: StoreView) throws(StorageError) -> [Found] {
      let references = filters.filter { $0.name == "reference" }.map(\.value)
      var found: [Found] = []
      for image in view.images {
        guard try fits(image, view) else { continue }
        var shown = image.record.names
        if !names.isEmpty, !names.contains(where: { $0.selects(image) }) {
          shown = shown.filter { name in names.contains { $0.fits(name) } }
          if shown.isEmpty { continue }
        }
        if !references.isEmpty {
          shown = shown.filter { name in references.contains { isReference($0, for: name) } }
          if shown.isEmpty { continue }
        }
        found.append(Found(image: image, names: shown))
      }
      return found
    }

    private func named(_ text: String, _ view: StoreView) throws(StorageError) -> ImageInfo {
      try view.snapshot.image(named: text, searched: configuredNames)
    }

    private func fits(_ image: ImageInfo, _ view: StoreView) throws(StorageError) -> Bool {
      for filter in filters {
        let fits =
          switch filter.name {
          case "id": image.id.rawValue.utf8.starts(with: filter.value.utf8)
          case "dangling": try filter.flag() == image.record.names.isEmpty
          case "containers": try filter.flag() == !view.sizes.containers(of: image.id).isEmpty
          case "label": filter.fits(labels: try view.configuration(of: image.record).labels)
          case "since": try named(filter.value, view).record.created < image.record.created
          case "before": try image.record.created < named(filter.value, view).record.created
          default: true
          }
        if !fits { return false }
      }
      return true
    }
  }

  static let columns: [Table.Column] = [
    .init("NAME", cut: .middle), .init("ID"), .init("CREATED", rank: 3), .init("SIZE", .right),
    .init("OWN", .right, rank: 1), .init("USED BY", rank: 2),
  ]

  static func listing(
    _ found: [Found], by order: Order, _ view: StoreView, isDetailed: Bool = true, isWhole: Bool = false
  ) throws(StorageError) -> Listing {
    var rows: [Listing.Row] = []
    for (found, name) in sorted(found, by: order, view.sizes) {
      let image = found.image
      let own = (size: view.sizes.size(of: image.record), own: view.sizes.ownSize(of: image.record))
      let users = view.sizes.containers(of: image.id)
      let id = image.id.rawValue
      // An image with several rows is one object.
      let isFirst = name == found.names.first
      let description =
        isDetailed ? ImageDescription(image, view, configuration: try view.configuration(of: image.record)) : nil
      rows.append(
        Listing.Row(
          cells: [
            name ?? unnamed, isWhole ? id : shortID(id), ageText(of: image.record.created, at: view.now),
            sizeText(own.size), sizeText(own.own), users.isEmpty ? "-" : "\(users.count)",
          ],
          fields: description?.rowFields(name: name) ?? .null,
          document: isFirst ? description?.summary : nil, identifier: isWhole ? id : shortID(id)))
    }
    return Listing(
      columns: columns, rows: rows, headings: ["ID": "IMAGE ID", "Id": "IMAGE ID", "CreatedSince": "CREATED"])
  }

  private typealias NamedRow = (found: Found, name: String?)

  /// A row for each name.
  private static func sorted(_ found: [Found], by order: Order, _ sizes: RecordedSizes) -> [NamedRow] {
    let rows = found.flatMap { (found) -> [NamedRow] in
      found.names.isEmpty ? [(found: found, name: nil)] : found.names.map { (found: found, name: $0) }
    }
    let byName = rows.sorted { (one: NamedRow, other: NamedRow) in
      switch (one.name, other.name) {
      case (let a?, let b?): a.precedesByBytes(b)
      case (.some, nil): true
      case (nil, .some): false
      case (nil, nil): other.found.image.record.created < one.found.image.record.created
      }
    }
    func sorted<Key: Comparable>(_ key: (ImageInfo) -> Key) -> [NamedRow] {
      // With their places, so that equal ones stay sorted by name.
      let keyed = byName.enumerated().map { (key: key($0.element.found.image), place: $0.offset, row: $0.element) }
      return keyed.sorted { ($0.key, $0.place) < ($1.key, $1.place) }.map(\.row)
    }
    switch order {
    case .name: return byName
    case .created: return sorted { -$0.record.created.seconds }
    case .id: return sorted { $0.id }
    case .size: return sorted { sizes.size(of: $0.record) ?? -1 }
    case .own: return sorted { sizes.ownSize(of: $0.record) ?? -1 }
    }
  }
}
