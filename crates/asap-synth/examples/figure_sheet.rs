//! TEMP
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let seed: u64 = args[2].parse().unwrap();
    let n: u64 = args[3].parse().unwrap();
    let size: u32 = args[4].parse().unwrap();
    let cols = 5.min(n as u32);
    let rows = (n as u32).div_ceil(cols);
    let mut sheet = image::RgbImage::new(cols * size, rows * size);
    let t = std::time::Instant::now();
    for i in 0..n {
        let img = asap_synth::figure::preview(seed, i, size);
        image::imageops::replace(&mut sheet, &img, i64::from((i as u32 % cols) * size), i64::from((i as u32 / cols) * size));
    }
    println!("{:?} each", t.elapsed() / n as u32);
    sheet.save(&args[1]).unwrap();
}
