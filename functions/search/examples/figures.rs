//! What the index takes and how fast it answers, with products that are made up: `cargo run --profile simulation -p search
//! --example figures`. Another number of products is its argument.
//!
//! One process builds and writes the index, another reads and asks it, so that its memory is that of a search function.
#![expect(clippy::print_stdout, reason = "it talks to a person")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use search::index::{Entry, IndexError, Manifest, Next, Query, Segment, Shown, Snapshot, Wanted};
use shop_types::{Currency, Money, ProductId, Timestamp};

type Failure = Box<dyn std::error::Error>;

/// What is typed with one error, and the number of the product that is meant.
const QUERIES: &str = include_str!("queries.txt");
const PRODUCTS: usize = 100_000;
/// How many products the rebuild indexes at once.
const STRETCH: usize = 1000;
/// How many segments there are before they are merged.
const SEGMENTS: usize = 16;
/// How many products of an answer are looked through for the one that is meant.
const LOOKED_THROUGH: usize = 20;
/// How often each query is asked.
const ROUNDS: usize = 5;
/// Those that are asked first, and not counted.
const WARM_UP: usize = 50;

const FIRST: &str = "Nor Vel Kas Bri Tol Mar Sol Fen Hal Rud Ost Lin Gar Pem Dor Wes Cal Jor Zan Ebb";
const LAST: &str = "dane mira tek lund vik ford ella ora stad mont";
const COLOURS: &str = "Black White Green Yellow Orange Purple Crimson Navy Turquoise Beige Ivory Silver Golden Copper \
    Charcoal Olive Maroon Lavender Coral Indigo Amber Scarlet Emerald Violet";
const MATERIALS: &str = "Cotton Leather Bamboo Steel Ceramic Glass Linen Walnut Rubber Marble Velvet Canvas Aluminium Enamel \
    Wicker Granite";
const THINGS: &str = "kettle teapot saucepan skillet ladle whisk spatula colander grater peeler blender toaster mixer \
    grinder tumbler goblet pitcher carafe platter saucer napkin apron coaster trivet corkscrew thermos \
    lunchbox breadbin dishrack cutlery armchair bookshelf cupboard wardrobe nightstand footstool hammock \
    mattress pillow blanket duvet curtain carpet doormat lampshade lantern candle mirror picture clock \
    vase basket drawer hanger ladder toolbox hammer wrench pliers screwdriver chisel sander drill \
    hacksaw workbench clamp trowel shovel rake wheelbarrow sprinkler hose planter trellis greenhouse \
    lawnmower pruner birdhouse bucket mop broom dustpan sponge detergent jacket trousers sweater \
    cardigan blouse waistcoat raincoat overcoat scarf mittens gloves beanie sandals sneakers slippers \
    boots belt wallet backpack suitcase umbrella sunglasses necklace bracelet earrings brooch watch \
    notebook pencil eraser sharpener stapler envelope calendar marker crayon easel paintbrush scissors \
    ruler keyboard monitor headphones speaker microphone webcam printer scanner router charger adapter \
    tripod camera projector telescope binoculars compass tent sleeping canteen helmet bicycle scooter \
    skateboard dumbbell kettlebell racket football basketball puzzle dollhouse marbles kite drum guitar \
    violin";

/// A word of some, by its number, of which there may be more.
fn word(words: &'static str, number: usize) -> &'static str {
    let count = words.split(' ').count();
    words.split(' ').nth(number % count.max(1)).unwrap_or_default()
}

/// A product by its number: brand, thing and colour are another product's in no case.
fn product(number: usize) -> Result<Entry, Failure> {
    let (brand, thing) = (number % 200, number / 200 % 160);
    let material = word(MATERIALS, number * 7 + thing);
    let brand = format!("{}{}", word(FIRST, brand), word(LAST, brand / 20));
    let (what, colour) = (word(THINGS, thing), word(COLOURS, number / 200 / 160));
    let name = format!("{brand} {material} {what} {colour}");
    let description = format!(
        "The {what} of {brand}: made of {material} for every day, easy to clean and to store. Delivered in a box of {} \
         with instructions. Number {number}.",
        word(MATERIALS, number + 5),
    );
    let shown = Shown {
        id: format!("prod-{number}").parse()?,
        name,
        price: Money { minor: i64::try_from(number * 37 % 20_000 + 99)?, currency: Currency::USD },
        category: Some(format!("{} {}", word(MATERIALS, thing), thing / 10)),
        image_url: None,
        in_stock: !number.is_multiple_of(9),
        version: 1,
        created_at: Timestamp::from_millis(1_795_000_000_000 + i64::try_from(number)?),
    };
    Ok(Entry { shown, description: Some(description) })
}

fn products(numbers: std::ops::Range<usize>) -> Result<BTreeMap<ProductId, Option<Entry>>, Failure> {
    let one = |number| product(number).map(|entry| (entry.shown.id.clone(), Some(entry)));
    numbers.map(one).collect()
}

/// The index in memory, as the consumer has it.
#[derive(Default)]
struct Writer {
    open: BTreeMap<String, Arc<Segment>>,
    objects: BTreeMap<String, Vec<u8>>,
    snapshot: Snapshot,
    written: usize,
}

impl Writer {
    fn publish(&mut self, next: Next) -> Result<(), IndexError> {
        self.written += next.object.len();
        self.open.insert(next.name.clone(), Arc::new(Segment::open(&next.name, &next.object)?));
        self.objects.insert(next.name, next.object);
        let is_named = |name: &String| next.segments.iter().any(|named| named.name == *name);
        self.open.retain(|name, _| is_named(name));
        self.objects.retain(|name, _| is_named(name));
        self.snapshot =
            Snapshot::new(Manifest { segments: next.segments, ..Manifest::default() }, &self.open)?;
        Ok(())
    }

    fn add(
        &mut self,
        products: &BTreeMap<ProductId, Option<Entry>>,
        name: &str,
    ) -> Result<Duration, IndexError> {
        let begun = Instant::now();
        if let Some(next) = self.snapshot.with(products, name)? {
            self.publish(next)?;
        }
        Ok(begun.elapsed())
    }

    fn size(&self) -> usize {
        self.objects.values().map(Vec::len).sum()
    }
}

fn build(count: usize, folder: &Path) -> Result<(), Failure> {
    let mut whole = Writer::default();
    let mut took = Duration::ZERO;
    for from in (0..count).step_by(STRETCH) {
        let products = products(from..(from + STRETCH).min(count))?;
        took += whole.add(&products, &from.to_string())?;
    }
    let segments = whole.snapshot.manifest.segments.len();
    let begun = Instant::now();
    if let Some(next) = whole.snapshot.compact("whole")? {
        whole.publish(next)?;
    }
    took += begun.elapsed();
    println!("built in stretches of {STRETCH}, {segments} segments merged at last: {} ms", took.as_millis());
    println!(
        "written on the way: {} KB; size of the index: {} KB",
        whole.written / 1000,
        whole.size() / 1000
    );
    for changed in [1, 1000] {
        let mut products = products(0..changed)?;
        for entry in products.values_mut().flatten() {
            entry.shown.price.minor += 1;
        }
        let before = whole.written;
        let took = whole.add(&products, &format!("change-{changed}"))?;
        println!("a change of {changed}: {} ms, {} bytes", took.as_millis(), whole.written - before);
    }
    // One large segment and small ones, as many as there may be.
    let mut parts = Writer::default();
    let small = (SEGMENTS - 1) * STRETCH;
    parts.add(&products(0..count - small)?, "0")?;
    for number in 1..SEGMENTS {
        let from = count - small + (number - 1) * STRETCH;
        parts.add(&products(from..from + STRETCH)?, &number.to_string())?;
    }
    fs::create_dir_all(folder)?;
    for (name, object) in &parts.objects {
        fs::write(folder.join(name), object)?;
    }
    fs::write(folder.join("manifest"), serde_json::to_vec(&parts.snapshot.manifest)?)?;
    Ok(())
}

fn resident(what: &str) -> Result<String, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap_or("unknown");
    Ok(line.trim_start_matches(':').trim().to_owned())
}

fn percentile(times: &mut [Duration], percent: usize) -> u128 {
    times.sort_unstable();
    times.get((times.len() * percent / 100).min(times.len().saturating_sub(1))).map_or(0, Duration::as_micros)
}

fn ask(folder: &Path, count: usize) -> Result<(), Failure> {
    let manifest: Manifest = serde_json::from_slice(&fs::read(folder.join("manifest"))?)?;
    let begun = Instant::now();
    let mut open = BTreeMap::new();
    for named in &manifest.segments {
        let object = fs::read(folder.join(&named.name))?;
        open.insert(named.name.clone(), Arc::new(Segment::open(&named.name, &object)?));
    }
    let segments = manifest.segments.len();
    let snapshot = Snapshot::new(manifest, &open)?;
    println!(
        "opened {segments} segments with {} products: {} ms",
        snapshot.products(),
        begun.elapsed().as_millis()
    );
    let mut meant = Vec::new();
    for line in QUERIES.lines() {
        let (typed, number) = line.split_once('\t').ok_or("a query without a product")?;
        // The same share of whatever number of products there is.
        meant.push((typed.to_owned(), number.parse::<usize>()?));
    }
    meant.retain(|(_, number)| *number < count);
    let find = |text: &str| {
        let begun = Instant::now();
        let query = Query { words: Some(Wanted::of(text, 8)), limit: LOOKED_THROUGH, ..Query::default() };
        snapshot.find(&query).map(|answer| (begun.elapsed(), answer))
    };
    let right = meant.iter().map(|(typed, number)| {
        let (_, answer) = find(typed)?;
        let id = format!("prod-{number}");
        Ok(answer.hits.iter().any(|(_, shown)| shown.id.as_str() == id))
    });
    let right: Vec<bool> = right.collect::<Result<_, IndexError>>()?;
    let found = right.iter().filter(|right| **right).count();
    println!(
        "right among the first {LOOKED_THROUGH} with one typing error: {found} of {} ({} in a thousand)",
        right.len(),
        found * 1000 / right.len().max(1)
    );
    let mut kinds: [(&str, Vec<String>); 3] =
        [("exact", Vec::new()), ("one typing error", Vec::new()), ("prefix", Vec::new())];
    for (typed, number) in &meant {
        let name = product(*number)?.shown.name;
        let words: Vec<_> = name.split(' ').collect();
        let thing = words.get(2).copied().unwrap_or_default();
        kinds[0].1.push(format!("{} {thing}", words[0]));
        kinds[1].1.push(typed.clone());
        kinds[2].1.push(thing.chars().take(2 + number % 3).collect());
    }
    for (kind, texts) in kinds {
        let mut times = Vec::new();
        for text in texts.iter().cycle().take(WARM_UP + texts.len() * ROUNDS) {
            times.push(find(text)?.0);
        }
        let mut times = times.split_off(WARM_UP);
        println!("{kind}: {} us median, {} us 99 %", percentile(&mut times, 50), percentile(&mut times, 99));
    }
    println!("memory: {} now, {} at most", resident("VmRSS")?, resident("VmHWM")?);
    Ok(())
}

/// Words of a product's name with one error in one of them.
fn typed_wrong(number: usize, random: &mut u64) -> Result<String, Failure> {
    let mut draw = |many: usize| {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*random >> 33).unwrap_or(0) % many.max(1)
    };
    let name = product(number)?.shown.name.to_lowercase();
    let words: Vec<&str> = name.split(' ').collect();
    let mut asked: Vec<String> = match draw(3) {
        0 => vec![words[0].to_owned(), words[2].to_owned()],
        1 => vec![words[0].to_owned(), words[2].to_owned(), words[3].to_owned()],
        _ => vec![words[3].to_owned(), words[2].to_owned(), words[0].to_owned()],
    };
    let long: Vec<usize> = (0..asked.len()).filter(|place| asked[*place].chars().count() >= 5).collect();
    let place = long.get(draw(long.len())).copied().unwrap_or(0);
    let mut letters: Vec<char> = asked[place].chars().collect();
    let at = draw(letters.len() - 1);
    let letter = char::from(b'a' + u8::try_from(draw(26))?);
    match draw(4) {
        0 => {
            letters.remove(at);
        }
        1 => letters.swap(at, at + 1),
        2 => letters.insert(at, letter),
        _ => letters[at] = letter,
    }
    asked[place] = letters.into_iter().collect();
    Ok(asked.join(" "))
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        // How queries.txt was made.
        ["queries"] => {
            let mut random = 12;
            for place in 0..400 {
                let number = place * 7919 % PRODUCTS;
                println!("{}\t{number}", typed_wrong(number, &mut random)?);
            }
            Ok(())
        }
        ["ask", folder, count] => ask(Path::new(folder), count.parse()?),
        [] | [_] => {
            let count = arguments.first().map_or(Ok(PRODUCTS), |count| count.parse())?;
            let folder: PathBuf = std::env::temp_dir().join(format!("search-figures-{}", std::process::id()));
            println!("{count} products");
            build(count, &folder)?;
            let asked = Command::new(std::env::current_exe()?)
                .arg("ask")
                .arg(&folder)
                .arg(count.to_string())
                .status();
            fs::remove_dir_all(&folder)?;
            if asked?.success() { Ok(()) } else { Err("the index could not be asked".into()) }
        }
        _ => Err("the number of products, or nothing".into()),
    }
}
