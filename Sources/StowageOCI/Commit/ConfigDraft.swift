// SPDX-License-Identifier: Apache-2.0

import StowageImage
import StowageModel

/// The configuration of an image that is made of another one's, or of nothing.
struct ConfigDraft {
  /// In the order in which Podman writes them.
  private static let order: [ManifestFamily: [String]] = [
    .oci: [
      "created", "author", "architecture", "variant", "os", "os.version", "os.features", "config", "rootfs", "history",
    ],
    .docker: [
      "comment", "created", "author", "config", "architecture", "variant", "os", "os.version", "os.features", "rootfs",
      "history",
    ],
  ]

  private let family: ManifestFamily
  private var value: JSONValue
  private var config: JSONValue

  /// - Parameter base: the configuration of the image below; nil for none.
  /// - Throws: `invalidArchive` if a member of it has another form than it should.
  init(_ family: ManifestFamily, base: (document: JSONDocument, family: ManifestFamily)?) throws(StorageError) {
    self.family = family
    let platform = Platform.current
    value = .object([.init("architecture", .string(platform.architecture)), .init("os", .string(platform.os))])
    if !platform.variant.isEmpty { value["variant"] = .string(platform.variant) }
    if let base {
      value = base.document.value
      if family == .oci, base.family == .docker {
        value = try JSONDocument(name: base.document.name, bytes: ConvertedConfig.oci(from: base.document)).value
      }
    }
    // What told of the container that the image below was made from, and of that image.
    for name in ["author", "comment", "container", "container_config", "parent", "id"] { value[name] = nil }
    config = value["config"].flatMap { $0.object == nil ? nil : $0 } ?? .object([])
  }

  /// Makes the change.
  ///
  /// - Throws: `usage` for what this kind of image cannot say.
  mutating func apply(_ change: ImageChange) throws(StorageError) {
    switch change.kind {
    case .command(let words): config["Cmd"] = .strings(words)
    case .entrypoint(let words): config["Entrypoint"] = .strings(words)
    case .environment(let pairs): for pair in pairs { setVariable(pair) }
    case .labels(let pairs):
      for pair in pairs { config["Labels"] = config.table("Labels", setting: pair.name, to: .string(pair.value)) }
    case .exposedPorts(let ports):
      for port in ports { config["ExposedPorts"] = config.table("ExposedPorts", setting: port, to: .object([])) }
    case .volumes(let paths):
      for path in paths { config["Volumes"] = config.table("Volumes", setting: path, to: .object([])) }
    case .user(let user): config["User"] = .string(user)
    case .workingDirectory(let path):
      let current = config["WorkingDir"]?.string ?? "/"
      config["WorkingDir"] = .string(
        path.hasPrefix("/") ? path : (current.hasSuffix("/") ? current : current + "/") + path)
    case .stopSignal(let signal): config["StopSignal"] = .string(signal)
    case .onBuild(let line):
      guard family == .docker else {
        throw StorageError(.usage, "OCI images cannot say ONBUILD: choose the format docker")
      }
      config["OnBuild"] = .array((config["OnBuild"]?.array ?? []) + [.string(line)])
    }
  }

  private mutating func setVariable(_ pair: ImageChange.Pair) {
    var variables = config["Env"]?.array ?? []
    let text = JSONValue.string("\(pair.name)=\(pair.value)")
    if let index = variables.firstIndex(where: { $0.string?.hasPrefix(pair.name + "=") == true }) {
      variables[index] = text
    } else {
      variables.append(text)
    }
    config["Env"] = .array(variables)
  }

  /// The command that the image runs, for the history.
  var command: String {
    ["Entrypoint", "Cmd"].flatMap { config[$0]?.array ?? [] }.compactMap(\.string).joined(separator: " ")
  }

  /// How a layer came to be.
  struct Step {
    let created: Timestamp
    let createdBy: String
    let author: String
    /// A remark on the step.
    let comment: String
    /// A remark on the image, which only Docker's images have apart from that on the step.
    let message: String
  }

  /// The configuration with a layer on top.
  ///
  /// - Parameter isAlone: whether there are no other layers.
  mutating func bytes(adding diffID: Digest, _ step: Step, isAlone: Bool) -> [UInt8] {
    value["created"] = .string(step.created.description)
    if !step.author.isEmpty { value["author"] = .string(step.author) }
    if family == .docker, !step.message.isEmpty { value["comment"] = .string(step.message) }
    value["config"] = config
    let below = isAlone ? [] : value["rootfs"]?["diff_ids"]?.array ?? []
    value["rootfs"] = .object([
      .init("type", .string("layers")), .init("diff_ids", .array(below + [.string(diffID.description)])),
    ])
    var entry: [JSONValue.Member] = [
      .init("created", .string(step.created.description)), .init("created_by", .string(step.createdBy)),
    ]
    if !step.author.isEmpty { entry.append(.init("author", .string(step.author))) }
    if !step.comment.isEmpty { entry.append(.init("comment", .string(step.comment))) }
    value["history"] = .array((isAlone ? [] : value["history"]?.array ?? []) + [.object(entry)])
    var writer = JSONWriter(.recordFile)
    writer.verbatim(ordered)
    return writer.bytes
  }

  private var ordered: JSONValue {
    let order = ConfigDraft.order[family] ?? []
    let members = value.object ?? []
    let known = order.compactMap { name in members.first { $0.name == name } }
    return .object(known + members.filter { !order.contains($0.name) })
  }
}

extension JSONValue {
  /// The member of that name; nil takes it away, a new one goes to the end.
  fileprivate subscript(_ name: String) -> JSONValue? {
    get { object?.last { $0.name == name }?.value }
    set {
      var members = object ?? []
      let index = members.firstIndex { $0.name == name }
      if let newValue {
        if let index { members[index] = .init(name, newValue) } else { members.append(.init(name, newValue)) }
      } else {
        members.removeAll { $0.name == name }
      }
      self = .object(members)
    }
  }

  /// An object among the members with one member set; one that is missing or no object begins empty.
  fileprivate func table(_ name: String, setting key: String, to value: JSONValue) -> JSONValue {
    var table = self[name].flatMap { $0.object == nil ? nil : $0 } ?? .object([])
    table[key] = value
    return table
  }

  fileprivate static func strings(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
}
