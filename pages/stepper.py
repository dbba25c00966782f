import streamlit as st

from seqdemo.ui.stepper import hand_calculation, stepper

st.title("Watch two models read, word by word", anchor=False)
stepper.render()
hand_calculation.render()
