// SPDX-License-Identifier: Apache-2.0

import StowageImage
public import StowageModel

/// A change to the configuration of an image, as a line of a Dockerfile says it: `CMD ["/bin/app"]`, `ENV A=1 B=2`, `USER=5`.
public struct ImageChange: Hashable, Sendable {
  /// What is changed.
  enum Kind: Hashable, Sendable {
    case command([String])
    case entrypoint([String])
    case environment([Pair])
    case exposedPorts([String])
    case labels([Pair])
    case user(String)
    case workingDirectory(String)
    case volumes([String])
    case stopSignal(String)
    case onBuild(String)
  }

  /// A name and what it stands for.
  struct Pair: Hashable, Sendable {
    let name: String
    let value: String
  }

  let kind: Kind

  /// Reads a line.
  ///
  /// - Throws: `usage` for an instruction that changes no configuration, or whose words make no sense.
  public init(_ line: String) throws(StorageError) {
    let trimmed = line.trimmingSpaces
    let end = trimmed.firstIndex { $0.isWhitespace || $0 == "=" } ?? trimmed.endIndex
    let rest = trimmed[end...].dropFirst().trimmingSpaces
    func invalid(_ what: String) -> StorageError { StorageError(.usage, "change \(goQuoted(line)): \(what)") }
    guard !rest.isEmpty else { throw invalid("must be an instruction of a Dockerfile with a value, such as USER 5") }
    switch trimmed[..<end].uppercased() {
    case "CMD":
      guard let words = ImageChange.words(ofCommand: rest) else { throw invalid("no list of texts") }
      kind = .command(words)
    case "ENTRYPOINT":
      guard let words = ImageChange.words(ofCommand: rest) else { throw invalid("no list of texts") }
      kind = .entrypoint(words)
    case "ENV", "LABEL":
      guard let pairs = ImageChange.pairs(rest) else { throw invalid("must be NAME=VALUE … or NAME VALUE") }
      kind = trimmed[..<end].uppercased() == "ENV" ? .environment(pairs) : .labels(pairs)
    case "EXPOSE":
      let ports = rest.split(whereSeparator: \.isWhitespace).map(String.init)
      if let bad = ports.first(where: { !ImageChange.isPort($0) }) {
        throw invalid("\(goQuoted(bad)) is no port such as 80, 53/udp or 8000-8010/tcp")
      }
      kind = .exposedPorts(ports.map { $0.contains("/") ? $0 : $0 + "/tcp" })
    case "USER": kind = .user(rest)
    case "WORKDIR": kind = .workingDirectory(rest)
    case "VOLUME":
      let words = ImageChange.list(rest) ?? rest.split(whereSeparator: \.isWhitespace).map(String.init)
      kind = .volumes(words)
    case "STOPSIGNAL": kind = .stopSignal(rest)
    case "ONBUILD": kind = .onBuild(rest)
    default:
      throw invalid("must be CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, WORKDIR, VOLUME, STOPSIGNAL or ONBUILD")
    }
  }

  /// A list of words, or a line for the shell; nil for a list that is none.
  private static func words(ofCommand text: String) -> [String]? {
    text.hasPrefix("[") ? list(text) : ["/bin/sh", "-c", text]
  }

  /// A JSON array of texts.
  private static func list(_ text: String) -> [String]? {
    // Whatever else it is, it is no list.
    guard text.hasPrefix("["), let values = (try? JSONDocument.parse(Array(text.utf8)))?.array else { return nil }
    let texts = values.compactMap(\.string)
    return texts.count == values.count ? texts : nil
  }

  private static func pairs(_ text: String) -> [Pair]? {
    guard let words = shellWords(text), let first = words.first else { return nil }
    guard first.contains("=") else {
      let name = text.prefix { !$0.isWhitespace }
      let value = text.dropFirst(name.count).trimmingSpaces
      return value.isEmpty ? nil : [Pair(name: String(name), value: value)]
    }
    let pairs = words.compactMap { word -> Pair? in
      guard let equals = word.firstIndex(of: "="), equals > word.startIndex else { return nil }
      return Pair(name: String(word[..<equals]), value: String(word[equals...].dropFirst()))
    }
    return pairs.count == words.count ? pairs : nil
  }

  /// Words with quotation marks and backslashes as a shell reads them; nil if a quotation does not end.
  private static func shellWords(_ text: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var rest = text[...]
    while let character = rest.popFirst() {
      switch (quote, character) {
      case (nil, _) where character.isWhitespace:
        if let done = word { words.append(done) }
        word = nil
      case (nil, "\""), (nil, "'"): (quote, word) = (character, word ?? "")
      case (.some(let open), _) where character == open: quote = nil
      case (_, "\\") where quote != "'": word = (word ?? "") + (rest.popFirst().map(String.init) ?? "\\")
      default: word = (word ?? "") + String(character)
      }
    }
    if let done = word { words.append(done) }
    return quote == nil ? words : nil
  }

  private static func isPort(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 1 || (parts.count == 2 && ["tcp", "udp", "sctp"].contains(parts[1])) else { return false }
    let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    return (ends.count == 1 || ends.count == 2) && ends.allSatisfy { (1...65535).contains($0) }
      && (ends.first ?? 0) <= (ends.last ?? 0)
  }
}

extension StringProtocol {
  fileprivate var trimmingSpaces: String {
    var text = self[...]
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
