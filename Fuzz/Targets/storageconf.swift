// SPDX-License-Identifier: Apache-2.0
private import StowageConfig
private import StowageModel
private import SystemPackage

/// Reads the input as two `storage.conf` files with a NUL between them, the second on top of the first, and the first on top of one
/// that sets everything that is compared: an input need not name a key twice to show which file counts.
///
/// Invariants: what a file is refused for does not depend on the one below it; what a file sets holds in spite of that one, and
/// what it does not set comes from there; origins are places in the files; `config` prints what is read as JSON.
func fuzzStorageConf(_ input: [UInt8]) {
  let files = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
  Scratch.write(files[0], to: lowerFile)
  Scratch.write(files.count == 2 ? files[1] : [], to: upperFile)
  Scratch.write(Array(base.utf8), to: baseFile)

  let lower = load(below: lowerFile)
  check(load(below: baseFile), lower, load(below: baseFile, above: lowerFile))
  check(lower, load(below: upperFile), load(below: lowerFile, above: upperFile))
}

/// Judges two files and what they are together.
private func check(
  _ lower: Result<StoreSettings, StorageError>, _ upper: Result<StoreSettings, StorageError>,
  _ both: Result<StoreSettings, StorageError>
) {
  for outcome in [lower, upper, both] { checkResult(outcome) }
  if let refused = lower.decodingFailure ?? upper.decodingFailure {
    precondition(both.decodingFailure == refused, "another refusal of two files")
    return
  }
  precondition(both.decodingFailure == nil, "two good files are refused")
  guard case .success(let lower) = lower, case .success(let upper) = upper, case .success(let both) = both
  else { return }
  for part in parts(lower, upper, both) {
    precondition(part.both == (part.upper.origin == .builtIn ? part.lower : part.upper), "wrong file counts")
  }
}

/// Sets what is compared to what no default is.
private let base = """
  [storage]
  driver = "base"
  imagestore = "/base"
  transient_store = true
  [storage.options]
  root-auto-userns-user = "base"
  auto-userns-min-size = 42
  auto-userns-max-size = 43
  disable-volatile = true
  pin_layers = true
  """

private let baseFile = Scratch.path.appending("base.conf")
private let lowerFile = Scratch.path.appending("lower.conf")
private let upperFile = Scratch.path.appending("upper.conf")

private func load(below: FilePath, above: FilePath? = nil) -> Result<StoreSettings, StorageError> {
  var environment = ["HOME": "/nowhere", "V": "/value", "CONTAINERS_STORAGE_CONF": below.string]
  if let above { environment["CONTAINERS_STORAGE_CONF_OVERRIDE"] = above.string }
  do throws(StorageError) {
    return .success(
      try loadStoreSettings(
        environment: environment, user: Rootlessness(uid: 0, effectiveUID: 0, isRootless: false), alternateRoot: ""))
  } catch {
    return .failure(error)
  }
}

private func checkResult(_ outcome: Result<StoreSettings, StorageError>) {
  guard case .success(let settings) = outcome else { return }
  let json: JSONValue
  do { json = try JSONValue(parsing: settings.options.json()) } catch { preconditionFailure("no JSON: \(error)") }
  precondition(json["root"]?.string == settings.graphRoot.value, "another root is printed")
  precondition(settings.graphRoot.value.utf8.first != nil && settings.runRoot.value.utf8.first != nil, "no root")
  let origins = settings.driverOptions.map(\.origin) + settings.remarks.map(\.origin) + [settings.graphRoot.origin]
  for case .file(let path, let line, let column) in origins {
    precondition([baseFile, lowerFile, upperFile].map(\.string).contains(path), "an origin in no file")
    precondition(line > 0 && column > 0, "an origin outside of a file")
  }
  for option in settings.driverOptions { precondition(option.value.utf8.contains(UInt8(ascii: "=")), "no value") }
}

/// What a file sets by itself: a text of its own, in one key.
private func parts(
  _ lower: StoreSettings, _ upper: StoreSettings, _ both: StoreSettings
) -> [(lower: Setting<String>, upper: Setting<String>, both: Setting<String>)] {
  [
    (lower.driverName, upper.driverName, both.driverName),
    (lower.imageStore, upper.imageStore, both.imageStore),
    (lower.rootAutoUserNSUser, upper.rootAutoUserNSUser, both.rootAutoUserNSUser),
    (text(lower.autoUserNSMinSize), text(upper.autoUserNSMinSize), text(both.autoUserNSMinSize)),
    (text(lower.autoUserNSMaxSize), text(upper.autoUserNSMaxSize), text(both.autoUserNSMaxSize)),
    (text(lower.transientStore), text(upper.transientStore), text(both.transientStore)),
    (text(lower.disableVolatile), text(upper.disableVolatile), text(both.disableVolatile)),
    (text(lower.pinsLayers), text(upper.pinsLayers), text(both.pinsLayers)),
  ]
}

private func text(_ setting: Setting<some CustomStringConvertible & Hashable & Sendable>) -> Setting<String> {
  Setting("\(setting.value)", from: setting.origin)
}

extension Result<StoreSettings, StorageError> {
  /// Why a file could not be read.
  fileprivate var decodingFailure: String? {
    guard case .failure(let error) = self, error.message.hasPrefix("decode configuration") else { return nil }
    return error.message
  }
}
